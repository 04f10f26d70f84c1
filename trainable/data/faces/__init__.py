"""Drawn people: a deterministic stand-in for photographs of people with and without masks."""
