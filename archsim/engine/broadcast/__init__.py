"""How a network lies on PEs that are sent activations which are not zero: columns, their time, and events."""
