# The one door for people and for CI: `make` alone lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo run test campaign soak bench profile docs check format lock clean

help:  ## list the recipes
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.on-path  ## make .venv with the locked packages

$(VENV)/.installed: $(LOCK) requirements/extras.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "capi-relay needs Python 3.11 or newer: make PYTHON=python3.12 setup" >&2; exit 1; }
	@echo "Setting up $(VENV) with the locked packages (half a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --upgrade --require-hashes --target $(VENV)/extras -r requirements/extras.txt
	@touch $@

# One line in its site-packages: its python finds capi_relay from any folder, and nothing is built.
$(VENV)/.on-path: $(VENV)/.installed
	@$(BIN)/python -c 'import os, pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "capi_relay.pth").write_text(os.getcwd() + "\n")'
	@touch $@

demo: setup  ## start everything on this machine, send real events through it, show what happened
	@$(BIN)/python -m worker demo

run: setup  ## start everything on this machine and keep it running
	@$(BIN)/python -m worker up

test: setup  ## run all tests, those on a real server included
	@$(BIN)/python -m pytest

campaign: setup  ## break everything that can break, one thing at a time (four minutes)
	@$(BIN)/python -m tests.faults.campaign

soak: setup  ## break things at random for a while: make soak MINUTES=60 SEED=7
	@$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),1) $(if $(SEED),--seed $(SEED))

bench: setup  ## measure everything and rewrite the tables (a quarter of an hour)
	@$(BIN)/python -m benchmarks; code=$$?; $(BIN)/python -m benchmarks report; exit $$code

profile: setup  ## show where a worker's time goes
	@$(BIN)/python -m benchmarks profile

docs: setup  ## build the documentation as a site, into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is built: open site/index.html"

check: setup  ## format, lint, types, layers: everything that needs no server
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup  ## let ruff put the code in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup  ## resolve the dependency groups again into hashed locks
	@for group in service dev extras; do \
	  $(BIN)/dependency-groups $$group > requirements/.$$group.in && \
	  $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
	    --no-header --no-annotate --output-file requirements/$$group.txt requirements/.$$group.in || exit 1; \
	  rm requirements/.$$group.in; \
	done

clean:  ## remove what the recipes made (not the event store under .capi)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist site
