"""What studies are written with: claims with verdicts, predictions beside published figures, templates."""
