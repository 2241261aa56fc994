# From a fresh clone with Python 3.11+ and make: `make demo` shows it, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help demo test test-engines test-long test-fuzz test-again lint check format clean

# The first of these that is new enough makes the environment; `make PYTHON=/path/to/python test` overrules it.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python
VENV := .venv
BIN := $(VENV)/bin
# Newer than pyproject.toml: nothing to install. pip's own variables and configuration hold (PIP_INDEX_URL, ...).
INSTALLED := $(VENV)/.installed
SHOWABLE := $(VENV)/.installed-demo
# Tests wait on processes for much of their time: one worker more than there are cores of a small machine. A file's tests
# stay together, since they share its servers.
WORKERS ?= 3
FUZZED := protobuf attribute json container lines pieces

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(SHOWABLE) ## train the example with everything running, and show the run
	@$(BIN)/runmill demo --home .demo

test: $(INSTALLED) ## run the test suite
	$(BIN)/python -m pytest -m "not long and not engines" --numprocesses $(WORKERS) --dist loadfile

test-engines: $(INSTALLED) ## run the tests with Docker, podman, PostgreSQL and an object store
	$(BIN)/python -m pytest -m "not long and engines" --numprocesses 2 --dist loadfile

test-long: $(INSTALLED) ## run the tests that take minutes
	$(BIN)/python -m pytest -m long

test-fuzz: $(INSTALLED) ## feed what takes bytes from strangers with anything, for two minutes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@mkdir -p .fuzz
	printf '%s\n' $(FUZZED) | xargs -P 2 -I TARGET $(BIN)/python tests/fuzz/decoders.py TARGET \
	    -max_total_time=40 -timeout=20 -verbosity=0 -artifact_prefix=.fuzz/

test-again: $(INSTALLED) ## run what failed last once more
	$(BIN)/python -m pytest -m "not long" --last-failed --last-failed-no-failures none

lint: $(INSTALLED) ## lint, format, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test test-engines ## all that must pass before a change goes in

format: $(INSTALLED) ## put the code into the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what was built, the environment and the demo's home
	rm -rf $(VENV) .demo dist build .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	@python=$$(for candidate in $(PYTHON); do \
	    "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$candidate" && break; \
	done; true); \
	if [ -z "$$python" ]; then \
	    echo "runmill needs Python 3.11 or newer; none of these is: $(PYTHON)." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3.11 demo" >&2; \
	    exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(INSTALLED): pyproject.toml | $(BIN)/pip
	@echo "Installing runmill and what its tests need into $(VENV) (once; some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(SHOWABLE)

$(SHOWABLE): pyproject.toml | $(BIN)/pip
	@echo "Installing runmill and what its demo needs into $(VENV) (once; a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@
