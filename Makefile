# Everything a clone needs; `make help` lists it. Works on a new machine with Python 3.11+ and either
# Go or a `temporal` program: nothing to edit, no Docker.

PYTHON := .venv/bin/python
SOURCES := .

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long test-peers mutate check bench screenshots lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make the environment: dependencies by hash, the Temporal program (once; then without network)
	@scripts/setup

run: setup ## Run everything with demo data and print the addresses (Ctrl-C stops)
	@exec $(PYTHON) parley.py up

test: setup ## Install what tests need, check the code, run the tests
	@scripts/setup-tests
	@$(MAKE) --no-print-directory check
	@$(PYTHON) -m pytest -n 2 --dist worksteal

test-long: setup ## The tests that take long: many kills, millions of steps
	@scripts/setup-tests
	@$(PYTHON) -m pytest -m long --timeout 3600

test-peers: setup ## The connectors against every network's server that can be installed
	@scripts/setup-tests
	@$(PYTHON) -m tests.peers all
	@PARLEY_PEERS=required $(PYTHON) -m pytest -m "peers or not (long or record or peers)" tests/connectors

mutate: setup ## Change the pure rules in small ways and see that a test fails for each
	@scripts/setup-tests
	@$(PYTHON) -m tests.mutation $(MODULES)

check: ## Lint, formatting, types, import directions (after `make test` once)
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/mypy $(SOURCES)
	.venv/bin/lint-imports

bench: setup ## Measure the figures of docs/benchmarks.md on this machine
	@scripts/setup-tests
	@$(PYTHON) -m bench

screenshots: setup ## Take the pictures of docs/images anew: the real pages on the real system
	@scripts/setup-tests
	@$(PYTHON) -m tests.screenshots $(PICTURES)

lock: ## Resolve requirements/*.in again into the hash-locked *.txt
	@scripts/lock
