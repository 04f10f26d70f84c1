"""The forms in which a bundle holds a network, each of which says the same of an image."""
