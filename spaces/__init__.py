"""What to search: each file has a function ``space(trial)`` that suggests one configuration."""
