"""What is best without costing all of it: points of a space, and the settings of a design."""
