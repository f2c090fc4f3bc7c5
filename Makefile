# Needs GNU make, Python 3.11 or later with pip and venv; `make test` uses Node.js, Chromium, curl, PostgreSQL and
# Redis where it finds them and says loudly what it skipped.

PYTHON  ?= python3
BIN     := .venv/bin
LOCKED  := .venv/.stamp-packages
RUNTIME := .venv/.stamp-runtime
DEV     := .venv/.stamp-dev
NODE    := tests/node/node_modules/.stamp
PIP     := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --require-hashes --requirement
NAMES   := sed -n -e 's/^Collecting \([^ ]*\).*/      \1/p' -e 's/^Installing collected packages.*/      unpacking all of them/p'
LOCK    := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
PYTEST_ARGS ?=
# SQLite files of tests lie in memory where there is plenty: nothing is read after a power cut, and no commit waits.
TESTDIR := $(shell test -w /dev/shm && df -Pk /dev/shm | awk 'NR == 2 && $$4 > 4000000 {print "/dev/shm"}')
PYTEST  := $(if $(TESTDIR),PYTEST_DEBUG_TEMPROOT=$(TESTDIR) )$(BIN)/python -m pytest
RUNS    ?= 1
UPGRADE ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-served torture bench bench-scale lint format lock messages screenshots clean

help: ## Say what each target does (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

install: $(RUNTIME) ## Set up .venv from the hash-pinned lock file; gives .venv/bin/idp

demo: $(RUNTIME) ## Set up, then run the identity provider and three example applications until Ctrl-C
	@$(BIN)/idp demo

test: $(DEV) $(NODE) ## Run every test but the torture ones
	@$(PYTEST) -n 2 --dist loadfile $(PYTEST_ARGS)

test-served: $(DEV) $(NODE) ## Run the tests of protocol, pages and journeys through the production server
	@$(PYTEST) -n 2 --dist loadfile --served tests/protocol tests/pages tests/journeys tests/security \
	    tests/properties tests/unit/web $(PYTEST_ARGS)

torture: $(DEV) ## Run the concurrency promises in full counts (minutes)
	@$(BIN)/python -m pytest -m torture $(PYTEST_ARGS)

bench: $(DEV) ## Measure beside npm oidc-provider, and write docs/performance.md (needs wrk; RUNS=3 for medians)
	@$(BIN)/python -m bench --runs $(RUNS)

bench-scale: $(DEV) ## Measure how cost grows with workers, people and clients (needs wrk, PostgreSQL, 5 GB; minutes)
	@$(BIN)/python -m bench.scale

lint: $(DEV) ## Check style, types and floors
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(DEV) ## Format the code and apply the linter's safe repairs
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

lock: $(DEV) ## Write the lock files anew from pyproject.toml (UPGRADE=--upgrade takes newer releases)
	@$(LOCK) $(UPGRADE) pyproject.toml --extra demo --group build --output-file requirements.lock
	@$(LOCK) $(UPGRADE) pyproject.toml --extra demo --group dev --constraints requirements.lock --output-file requirements-dev.lock

messages: $(DEV) ## Bring the catalogues of translations up to date, and say what is not translated yet
	@$(BIN)/python -m tests.catalogues

screenshots: $(DEV) ## Make the pictures of docs/screenshots anew (needs Chromium, and ports 8000, 9000, 9001, 9002)
	@$(BIN)/python -m tests.chromium.make_screenshots

clean: ## Remove what can be built again; data in var/ and keys/ stays
	rm -rf .venv build dist tests/node/node_modules bench/peer/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- How .venv comes about: each stamp is newer than what it was made from, so a second run does nothing.

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "This needs Python 3.11 or later as '$(PYTHON)'; found: $$($(PYTHON) --version 2>/dev/null || echo nothing)."; \
	    echo "Name another one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "This Python lacks its venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "[1/3] Creating .venv"
	@$(PYTHON) -m venv .venv

$(LOCKED): requirements.lock | .venv/bin/python
	@echo "[2/3] Installing the hash-checked packages of requirements.lock"
	@rm -f $@; { $(INSTALL) requirements.lock && touch $@; } | $(NAMES); test -f $@

$(RUNTIME): $(LOCKED) pyproject.toml
	@echo "[3/3] Installing idp itself"
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing the hash-checked tools of requirements-dev.lock"
	@rm -f $@; { $(INSTALL) requirements-dev.lock && touch $@; } | $(NAMES); test -f $@

$(NODE): tests/node/package.json tests/node/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
	    echo "Installing the Node.js client for the tests"; \
	    cd tests/node && npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.stamp; \
	elif [ "$$CI" = true ]; then \
	    echo "npm is missing, and with CI=true nothing may be skipped"; exit 1; \
	else \
	    echo "*** npm is missing: the Node.js client test will be SKIPPED ***"; \
	fi
