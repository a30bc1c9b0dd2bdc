"""The placer: what is to be placed, the steps to where it lies, and the placement that comes of them."""
