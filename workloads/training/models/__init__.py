"""Float models while they are trained: perceptrons, convolutional and recurrent networks."""
