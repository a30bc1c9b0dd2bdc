"""What engines whose PEs march in step share: sizes, the controller, and the machine around it."""
