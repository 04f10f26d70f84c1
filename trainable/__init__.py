"""One trial: its data, its parts, the training loop and its checkpoint."""
