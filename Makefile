# Everything a person types. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
ASSETS := dashboard/assets
STYLES := $(shell find $(ASSETS)/src -type f) $(ASSETS)/build.mjs $(ASSETS)/package.json $(ASSETS)/package-lock.json
RUST := $(shell find core_rs -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock pyproject.toml
WORKERS ?= 2
PORT ?= 8080
PYTEST := $(BIN)/pytest
export MATURIN_NO_INSTALL_RUST := 1
export PATH := $(CURDIR)/.venv/bin:$(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo run test quick soak check format bench lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: .venv/.extension dashboard/static/manifest.json ## Set up .venv with `rollcall`, the Rust extension, the dashboard's styles and scripts, the data folder

demo: setup ## Run everything against a local Discord simulator, on SQLite (PORT=8080; the dashboard is on the next port)
	@$(BIN)/rollcall demo --port $(PORT)

run: setup ## Run against Discord: needs DISCORD_BOT_TOKEN
	@$(BIN)/rollcall serve

test: setup .venv/.dev ## Set up and pass every test, on SQLite and PostgreSQL
	cargo test --workspace --locked --quiet
	$(PYTEST) -n $(WORKERS) --dist worksteal --hypothesis-profile=ci || $(BIN)/python tests/second_attempt.py $$? --hypothesis-profile=ci

quick: setup .venv/.dev ## Unit, property and contract tests on SQLite
	$(PYTEST) -n $(WORKERS) --dist worksteal -p no:schemathesis -m "not slow and not postgresql" --hypothesis-profile=quick tests/unit tests/property tests/contract

soak: setup .venv/.dev ## Property tests on examples nobody has tried: the gate's are the same each time
	$(PYTEST) -n $(WORKERS) --dist worksteal --hypothesis-profile=soak tests/property

check: .venv/.extension .venv/.dev ## Format, lint, types, import contracts, clippy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/stubtest attendance._core --ignore-missing-stub
	$(BIN)/lint-imports
	cargo fmt --all --check
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; else echo "cargo deny is not installed: licences and bans were not checked"; fi
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

format: .venv/.dev ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cargo fmt --all

bench: setup .venv/.dev ## Measure; results belong into benches/README.md
	cargo bench -p rollcall-engine --locked
	$(BIN)/python -m benches

lock: .venv/.dev ## Pin and hash the requirements anew (files hold no addresses)
	$(BIN)/uv pip compile -q --generate-hashes --no-header --python-version 3.11 --upgrade pyproject.toml requirements/build.in -o requirements/run.txt
	$(BIN)/uv pip compile -q --generate-hashes --no-header --python-version 3.11 --upgrade requirements/dev.in -o requirements/dev.txt

clean: ## Remove what set-up and tests made (not the data folder)
	rm -rf dashboard/static $(ASSETS)/node_modules .venv target .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache attendance/*.so

.venv/.requirements: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rollcall needs Python 3.11 or newer; say PYTHON=/path/to/python")'
	@command -v cargo >/dev/null || { echo "Rollcall needs stable Rust (cargo)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

.venv/.dev: .venv/.requirements requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.venv/.extension: .venv/.requirements $(RUST)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@mkdir -p -m 700 data
	@touch $@

$(ASSETS)/node_modules/.installed: $(ASSETS)/package.json $(ASSETS)/package-lock.json
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null || { echo "Rollcall needs Node.js 20 or newer with npm, to build the dashboard's styles and scripts"; exit 1; }
	npm ci --prefix $(ASSETS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

dashboard/static/manifest.json: $(ASSETS)/node_modules/.installed $(STYLES)
	node $(ASSETS)/build.mjs
