"""What came of designs, sweeps, searches, layouts and imports, as tables and as plain values."""
