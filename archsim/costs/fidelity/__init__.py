"""What logic is priced at each fidelity: estimated, mapped, or mapped and placed."""
