# Everything a person or CI types. `make demo` and `make test` set themselves up: a virtual
# environment in .venv, filled from the hashed lock, made once.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
# A search path of the caller's could put other packages in front of the locked ones.
unexport PYTHONPATH
unexport PYTHONHOME

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV ?= $(firstword $(wildcard $(BIN)/uv) uv)
# One test process per core; a test that needs a server starts its own in each.
PYTEST ?= $(BIN)/python -m pytest -q -n auto

.PHONY: help demo test faults check format lint types floors lock clean

help:
	@echo "make demo    audit two tables: the real stream that ships here, and a made-up marketplace"
	@echo "make test    the whole test suite"
	@echo "make faults  the fault plan, and its table: kills, clock jumps, full disks, a storm (8 minutes)"
	@echo "make check   what CI runs: format, lint, types, import floors, tests"
	@echo "make format  rewrite the sources as the formatter wants them"
	@echo "make lock    renew locks/ from pyproject.toml (needs uv); UPGRADE=1 takes newer versions"
	@echo "make clean   remove what was made: caches, the demo's table, state and history"

demo: $(READY)
	@.ci/demo $(BIN)/eventwatch

test: $(READY)
	@.ci/tests $(BIN)/python $(PYTEST)

# Kills, clocks, pauses and a Slack that misbehaves; one table at the end. Minutes, not seconds.
faults: $(READY)
	@$(BIN)/python -m tests.faults

check: lint types floors test

format: $(READY)
	@$(BIN)/ruff format src tests benchmarks examples
	@$(BIN)/ruff check --fix src tests benchmarks examples

lint: $(READY)
	@echo "== format and lint"
	@$(BIN)/ruff format --check --quiet src tests benchmarks examples \
		|| { echo "run make format"; exit 1; }
	@$(BIN)/ruff check --quiet src tests benchmarks examples

types: $(READY)
	@echo "== types"
	@$(BIN)/mypy

floors: $(READY)
	@echo "== import floors"
	@$(BIN)/lint-imports

lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	@$(BIN)/python .ci/lock.py $(UV) $(if $(UPGRADE),--upgrade)

clean:
	rm -rf var examples/git_history/var build dist .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	find src tests examples benchmarks .ci -name __pycache__ -type d -exec rm -rf {} +

$(READY): locks/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; none was found." >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || { echo "Setting up $(VENV), once."; \
		"$(PYTHON)" -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--require-hashes --no-deps -r locks/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-deps --no-build-isolation -e .
	@touch $(READY)
