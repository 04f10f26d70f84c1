"""Schedulers of trials: which of them end early."""
