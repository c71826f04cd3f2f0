# Every target works on a bare machine with Python 3.11 or newer and make; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
INSTALLED := .venv/.installed
export PYTHONPATH := $(CURDIR)
# pyright brings its own Node (a wheel) and asks nobody for newer versions of itself
export PYRIGHT_PYTHON_GLOBAL_NODE := 0
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
PORT ?= 8000
ARGS ?=

.PHONY: help install up demo test test-long bench check format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  python manage.py --help lists the commands (replay, token, edi, ...)"

install: $(INSTALLED) ## the environment in .venv, from the hashed lock

$(INSTALLED): requirements/dev.txt requirements/bootstrap.txt
	@set -e; python=""; \
	for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed and was not found; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  echo "Making .venv with $$($$python --version)"; \
	  $$python -m venv --clear .venv || { echo "python -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	fi
	@echo "Installing the locked packages (once)"
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt \
	  && $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt; } \
	|| { echo "uv could not do it; pip takes over" >&2; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt; }
	@touch $(INSTALLED)

up: $(INSTALLED) ## the whole system, until Ctrl-C (PORT=8000)
	@exec $(BIN)/python manage.py up --port $(PORT) $(ARGS)

demo: $(INSTALLED) ## the main story from order to kept promise, headless, every step checked
	@$(BIN)/python manage.py demo $(ARGS)

test: $(INSTALLED) ## all tests on real PostgreSQL and Valkey, at most 10 minutes on two cores
	@$(BIN)/python -m pytest -n 2 -m "not long" $(ARGS)

test-long: $(INSTALLED) ## fuzz, kill and stateful tests with many examples, at most 30 minutes
	@$(BIN)/python -m pytest -m long $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m pytest -n 2 -m "not long" --search tests/unit)

bench: $(INSTALLED) ## our figures beside their yardsticks, in one run (ARGS=--list names them)
	@$(BIN)/python manage.py bench $(ARGS)

check: $(INSTALLED) ## lint, format, types, import contracts, schema and migrations without drift
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python manage.py schema diff
	$(BIN)/python -m pytest -q -m "not long" tests/schema_changes tests/architecture

format: $(INSTALLED) ## let ruff repair and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(INSTALLED) ## resolve the dependencies of pyproject.toml anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --extra embedded --extra learning --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --extra learning --constraints requirements/dev.txt -o requirements/base.txt

clean: ## remove caches; neither data nor environment
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
