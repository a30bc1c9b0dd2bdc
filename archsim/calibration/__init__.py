"""How the numbers were made: netlists measured, models fitted. Nothing that runs imports it."""
