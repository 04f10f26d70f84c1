# Sets up .venv once, and runs the search or the checks in it.
.DEFAULT_GOAL := help
.PHONY: help search test lint types unit bench clean

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= python3

help:  ## show the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(INSTALLED): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): about two minutes, and only this once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

search: $(INSTALLED)  ## run the quick search on the embedded faces, to the end
	@$(BIN)/python -m search.run --space spaces/quick.py

test: lint types unit  ## run every check: lint, format, types, tests

lint: $(INSTALLED)  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED)  ## check the types
	@$(BIN)/mypy

unit: $(INSTALLED)  ## run the tests
	@$(BIN)/python -m pytest

bench: $(INSTALLED)  ## run every benchmark and write benchmarks/RESULTS.md; half an hour, on an idle machine
	@$(BIN)/python -m benchmarks.all

clean:  ## remove what the targets made, but for runs/
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info
