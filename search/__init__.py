"""Many trials: command line, Optuna searcher, ASHA, progress, resume."""
