"""Tracking servers that a search can be logged to, besides its own folder."""
