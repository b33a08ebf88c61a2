# Everything an owner or a developer types: make run, make test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help setup run test check clean
.DEFAULT_GOAL := help

help:  ## Show what can be typed
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.dev  ## Make .venv with everything for running and testing

run: $(VENV)/.run  ## Install what is missing and start (make run ARGS="--port 8081")
	@$(BIN)/python -m bot run $(ARGS)

test: check  ## Lint, types and all tests
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev  ## Lint and types only
	@$(BIN)/ruff check bot generation cogs tests
	@$(BIN)/ruff format --check bot generation cogs tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

clean:  ## Remove .venv and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The stamps remember what was installed, so that nothing is done twice.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Atelier needs Python 3.11 or newer; try: make PYTHON=python3.12 run"; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements.txt
	@echo "Installing what Atelier needs (about 1.5 GB, a few minutes the first time) …"
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt \
		|| { echo "The installation is not complete; the lines above say why. Run make again to go on."; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	@touch $@
