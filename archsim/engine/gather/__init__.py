"""How a network lies on PEs that gather by index: encoding, entries, conflicts, and events."""
