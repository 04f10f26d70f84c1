"""Labelled images: where they come from, who is in which part, and their decoded pixels."""
