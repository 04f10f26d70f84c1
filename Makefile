# Sets up .venv once, and runs the search or the checks in it.
.DEFAULT_GOAL := help
.PHONY: help search test lint types viewers unit bench clean

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTHON ?= python3
# More of them would not end sooner: the longest file of tests takes as long by itself.
MOST_PROCESSES := 4
# Tests start the commands dozens of times: each would compile the packages anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## show the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

# pip would compile what it installs on one core, which takes longer than all else that it does.
# What cannot be compiled are packages' templates.
$(INSTALLED): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): about two minutes, and only this once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m compileall -qq --workers 0 $(VENV)/lib || true
	@touch $@

search: $(INSTALLED)  ## run the quick search on the embedded faces, to the end
	@$(BIN)/python -m search.run --space spaces/quick.py

test: lint types unit  ## run every check: lint, format, types, tests

lint: $(INSTALLED)  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED)  ## check the types
	@$(BIN)/mypy

# The tests that look at pages are skipped where there is no browser, and those of metrics without
# Prometheus. They are installed where that needs no questions, as on a bare machine that runs
# nothing but the checks.
viewers:
	@missing=""; \
	if ! { command -v chromium || command -v chromium-browser || command -v google-chrome; } \
		> /dev/null; then missing="chromium"; fi; \
	command -v prometheus > /dev/null || missing="$$missing prometheus"; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "Installing what tests look at pages and metrics with:" $$missing; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -qq -o Acquire::http::Timeout=20 -o Acquire::Retries=1 update > /dev/null && \
		apt-get -qq install --no-install-recommends $$missing > /dev/null; \
	fi || true

unit: $(INSTALLED) viewers  ## run the tests, a file of them at a time on each core
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses $(MOST_PROCESSES) \
		--dist loadfile --no-loadscope-reorder

bench: $(INSTALLED)  ## run every benchmark and write benchmarks/RESULTS.md; half an hour, on an idle machine
	@$(BIN)/python -m benchmarks.all

clean:  ## remove what the targets made, but for runs/
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info
