"""Trains the chosen configurations of a search again, on more of its images."""
