# Everything a person or a machine does here starts with one of these words. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

TOOLS := $(CURDIR)/.tools
export PATH := $(TOOLS)/bin:$(PATH)
export BONGSU_PYTHON := $(TOOLS)/venv/bin/python
# A failed test says what it expected; where `anyhow` was built tells nothing more.
export RUST_LIB_BACKTRACE := 0

NEXTEST_VERSION := 0.9.143
DENY_VERSION := 0.20.2

DATA ?= ./data
BENCH ?=
LISTEN ?= 127.0.0.1:8008
SERVER_NAME ?= localhost

.PHONY: help setup run test check fmt generate bench-lane bench-talk clean-data

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build the release binary and serve on 127.0.0.1:8008, data in ./data
	cargo build --release -p bongsu
	@exec ./target/release/bongsu serve --data $(DATA) --listen $(LISTEN) \
		--server-name $(SERVER_NAME) --registration open

test: setup check ## everything that decides whether a change is good
	cargo nextest run --workspace

check: setup ## formatting, lints, dependencies and generated files
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo deny --log-level error check --hide-inclusion-graph bans licenses sources
	cargo run --quiet -p xtask -- generate --check

fmt: ## format the code
	cargo fmt --all

generate: ## write the generated files again
	cargo run --quiet -p xtask -- generate

bench-lane: ## what the lane alone applies on one core
	@mkdir -p target/bench
	BONGSU_BENCH_OUT=$(CURDIR)/target/bench/lane.json cargo bench -p bongsu-talk --bench lane

bench-talk: $(TOOLS)/synapse/requirements.ok ## the messenger beside Synapse; BENCH=--quick for a short look
	cargo build --release -p bongsu -p bongsu-bench
	./target/release/bongsu-bench --out target/bench/talk.json talk --synapse $(TOOLS)/synapse/bin/python $(BENCH)

clean-data: ## forget what `make run` has stored
	rm -rf $(DATA)

setup: $(TOOLS)/nextest.ok $(TOOLS)/deny-$(DENY_VERSION).ok $(TOOLS)/venv/requirements.ok ## fetch the tools that the tests need

# A tool that the machine already has is used as it is; otherwise it is built once into .tools.
$(TOOLS)/nextest.ok:
	@mkdir -p $(TOOLS)
	@cargo nextest --version >/dev/null 2>&1 || CARGO_TARGET_DIR=$(TOOLS)/build-nextest \
		cargo install --locked --root $(TOOLS) cargo-nextest@$(NEXTEST_VERSION)
	@rm -rf $(TOOLS)/build-nextest
	@touch $@

$(TOOLS)/deny-$(DENY_VERSION).ok:
	@mkdir -p $(TOOLS)
	@cargo deny --version 2>/dev/null | grep -qF $(DENY_VERSION) || CARGO_TARGET_DIR=$(TOOLS)/build-deny \
		cargo install --locked --no-default-features --root $(TOOLS) cargo-deny@$(DENY_VERSION)
	@rm -rf $(TOOLS)/build-deny
	@touch $@

# Debian leaves `venv` out of its Python; root may add it.
$(TOOLS)/venv/requirements.ok: clients/requirements.txt
	@python3 -c 'import ensurepip, venv' 2>/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq python3-venv; }
	@python3 -m venv $(TOOLS)/venv
	@$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check -r clients/requirements.txt
	@touch $@

# The peer of `bench-talk`: Synapse from PyPI, on the PostgreSQL of Debian.
$(TOOLS)/synapse/requirements.ok: bench/synapse/requirements.txt
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -y -qq postgresql; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null || \
		{ apt-get update -qq && apt-get install -y -qq python3-venv; }
	@python3 -m venv $(TOOLS)/synapse
	@$(TOOLS)/synapse/bin/pip install --quiet --disable-pip-version-check -r bench/synapse/requirements.txt
	@touch $@
