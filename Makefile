# On a machine with Python >= 3.11, git and make: `make demo` runs the main job, `make test` runs every test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	--custom-compile-command 'make lock'

.PHONY: help install demo test torture mutants lint bench screenshots config lock clean

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(READY) ## Make .venv with the project and its tools in it

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

demo: $(READY) ## Run the main job on a small project: the cockpit on a terminal, else headless
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/omni-tui demo; else $(BIN)/omni-tui demo --headless; fi

test: $(READY) ## Run every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

torture: $(READY) ## Kill, crash, starve and race it in quantity, and print the table; TORTURE=long tries more
	$(BIN)/python -m tests.torture

mutants: $(READY) ## Take out one guard at a time: the torture has to notice each
	$(BIN)/python -m tests.torture.mutants

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## Measure the speed, each a ratio to a floor of the same run
	$(BIN)/python -m benchmarks

screenshots: $(READY) ## Draw screenshots/ again
	$(BIN)/python -m screenshots

config: $(READY) ## Write config.toml again from the settings
	$(BIN)/omni-tui config --defaults >config.toml.new && mv config.toml.new config.toml

lock: $(READY) ## Pin the newest fitting dependencies, with hashes
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what make made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache snapshot_report.html
