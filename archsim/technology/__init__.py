"""What things cost: technologies, and the numbers behind them with their sources."""
