"""What engines that gather activations by index share: a PE's walk through its entries, and two routes."""
