"""The data sets that networks are trained on and hardware is run on."""
