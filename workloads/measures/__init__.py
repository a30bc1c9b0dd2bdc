"""What can be said of a topology without training it: colourings, degrees of freedom, decompositions."""
