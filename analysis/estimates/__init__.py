"""How good predictions are, and how sure that is: scores of many at once, resampled by person."""
