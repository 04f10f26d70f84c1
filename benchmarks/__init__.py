"""Measurements, one command each; what they print is quoted in the README."""
