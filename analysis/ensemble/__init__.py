"""From the trials of searches to an ensemble, with honest numbers."""
