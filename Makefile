# Everything a person or a machine does here starts with one of these words. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

TOOLS := $(CURDIR)/.tools
export PATH := $(TOOLS)/bin:$(PATH)
export BONGSU_PYTHON := $(TOOLS)/venv/bin/python
export BONGSU_NATS_SERVER := $(TOOLS)/venv/bin/nats-server
# A failed test says what it expected; where `anyhow` was built tells nothing more.
export RUST_LIB_BACKTRACE := 0

NEXTEST_VERSION := 0.9.143
DENY_VERSION := 0.20.2

JS := clients/js/node_modules
BENCH_JS := bench/js/node_modules

FUZZ := events media pages push_rules requests sign_in status_list sync tokens
# As many at once as most machines have processors at the least.
TRY_ALL := printf '%s\n' $(FUZZ) | xargs -P 2 -n 1 fuzz/try

DATA ?= ./data
BENCH ?=
FIRE ?=
LISTEN ?= 127.0.0.1:8008
SERVER_NAME ?= localhost

.PHONY: help setup run cluster fire test check fmt fuzz fuzz-build fuzz-short generate bench-lane bench-talk bench-cluster bench-identity bench-pay clean-data tools

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build the release binary and serve on 127.0.0.1:8008, data in ./data
	cargo build --release -p bongsu
	@exec ./target/release/bongsu serve --data $(DATA) --listen $(LISTEN) \
		--server-name $(SERVER_NAME) --registration open

cluster: setup ## three data centres on this machine, at 127.0.1.1, 127.0.2.1 and 127.0.3.1; data in ./cluster
	cargo build --release -p bongsu
	@exec ./target/release/bongsu cluster --dir ./cluster --registration open

fire: setup $(TOOLS)/fire.ok ## the fire drill: burn data centres under load and count what was lost; FIRE=... for more
	cargo build --release -p bongsu
	@mkdir -p target/fire
	./target/release/bongsu fire --json target/fire/fire.json --html target/fire/fire.html $(FIRE)

test: setup check fuzz-short ## everything that decides whether a change is good
	cargo nextest run --workspace

check: setup ## formatting, lints, dependencies and generated files
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo deny --log-level error check --hide-inclusion-graph bans licenses sources
	cargo run --quiet -p xtask -- generate --check

fmt: ## format the code
	cargo fmt --all

fuzz: fuzz-build ## a minute of chance for each fuzz target, beginning with what was found before
	@$(TRY_ALL) corpus 60

# The same for ten seconds, from the seeds alone.
fuzz-short: fuzz-build
	@rm -rf fuzz/target/short
	@$(TRY_ALL) short 10 -seed=1

fuzz-build: setup
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/fuzz/watched cargo build --locked --workspace --example bongsu-fuzz

generate: ## write the generated files again
	cargo run --quiet -p xtask -- generate

bench-lane: ## what the lane alone applies on one core
	@mkdir -p target/bench
	BONGSU_BENCH_OUT=$(CURDIR)/target/bench/lane.json cargo bench -p bongsu-talk --bench lane

bench-talk: $(TOOLS)/synapse/requirements.ok ## the messenger beside Synapse; BENCH=--quick for a short look
	cargo build --release -p bongsu
	cargo build --release -p bongsu-bench
	./target/release/bongsu-bench --out target/bench/talk.json talk --synapse $(TOOLS)/synapse/bin/python $(BENCH)

bench-cluster: setup $(TOOLS)/synapse/requirements.ok ## three data centres beside their engine alone and Synapse
	cargo build --release -p bongsu
	cargo build --release -p bongsu-bench
	./target/release/bongsu-bench --out target/bench/cluster.json cluster --synapse $(TOOLS)/synapse/bin/python $(BENCH)

bench-identity: $(BENCH_JS)/.package-lock.json ## sign-in for other services beside oidc-provider
	cargo build --release -p bongsu
	cargo build --release -p bongsu-bench
	./target/release/bongsu-bench --out target/bench/identity.json identity --peer bench/js $(BENCH)

bench-pay: $(TOOLS)/venv/requirements.ok ## payments beside a stored procedure of PostgreSQL; needs Debian's postgresql
	@mkdir -p target/bench
	BONGSU_BENCH_OUT=$(CURDIR)/target/bench/ledger.json cargo bench -p bongsu-ledger --bench transfers
	BONGSU_BENCH_OUT=$(CURDIR)/target/bench/three-ways.json cargo bench -p bongsu-pay --bench three_ways
	cargo build --release -p bongsu
	cargo build --release -p bongsu-bench
	./target/release/bongsu-bench --out target/bench/pay.json pay --library target/bench/ledger.json \
		--three-ways target/bench/three-ways.json $(BENCH)

clean-data: ## forget what `make run` has stored
	rm -rf $(DATA)

setup: ## fetch the tools that the tests need
	@$(MAKE) --no-print-directory -j 2 tools

# One downloads while the other compiles, which is not to count its processes with those of `make`.
tools: $(TOOLS)/deny-$(DENY_VERSION).ok $(TOOLS)/nextest.ok $(TOOLS)/debian.ok $(TOOLS)/venv/requirements.ok $(JS)/.package-lock.json

# A tool that the machine already has is used as it is; otherwise it is built once into .tools, as fast as can be.
$(TOOLS)/nextest.ok:
	@mkdir -p $(TOOLS)
	@cargo nextest --version >/dev/null 2>&1 || \
		MAKEFLAGS= CARGO_TARGET_DIR=$(TOOLS)/build-nextest CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 \
		cargo install --locked --debug --root $(TOOLS) cargo-nextest@$(NEXTEST_VERSION)
	@rm -rf $(TOOLS)/build-nextest
	@touch $@

$(TOOLS)/deny-$(DENY_VERSION).ok:
	@mkdir -p $(TOOLS)
	@cargo deny --version 2>/dev/null | grep -qF $(DENY_VERSION) || \
		MAKEFLAGS= CARGO_TARGET_DIR=$(TOOLS)/build-deny CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 \
		cargo install --locked --debug --no-default-features --root $(TOOLS) cargo-deny@$(DENY_VERSION)
	@rm -rf $(TOOLS)/build-deny
	@touch $@

# What Debian has: a compiler for C++, in which libFuzzer is written; the proxy that operators are given a configuration for;
# a web server that lets people in who signed in here, without the packages that would run it by itself; a browser for the
# pages, and letters for both of their languages; what it leaves out of its Python.
$(TOOLS)/debian.ok:
	@mkdir -p $(TOOLS)
	@missing=(); need() { "$${@:2}" >/dev/null 2>&1 || missing+=($$1); }; \
		need g++ command -v c++; \
		need haproxy command -v haproxy; \
		need "apache2-bin libapache2-mod-auth-openidc media-types" ls /usr/lib/apache2/modules/mod_auth_openidc.so; \
		need chromium command -v chromium; \
		need fonts-noto-cjk ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc; \
		need python3-venv python3 -c 'import ensurepip, venv'; \
		[[ $${#missing[@]} = 0 ]] || { apt-get update -qq && \
			apt-get install -y -qq --no-install-recommends "$${missing[@]}"; }
	@touch $@

$(TOOLS)/venv/requirements.ok: clients/requirements.txt $(TOOLS)/debian.ok
	@python3 -m venv $(TOOLS)/venv
	@$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check -r clients/requirements.txt
	@touch $@

# What slows a disk and sets a clock in the fire drill. Without them, and without root's right to mount, it leaves
# out what it cannot do, and says so.
$(TOOLS)/fire.ok:
	@mkdir -p $(TOOLS)
	@{ command -v strace && ls /usr/lib/*/faketime/libfaketimeMT.so.1; } >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -y -qq strace libfaketime; } || true
	@touch $@

# Node 20 comes with Debian's npm, or from wherever the machine has it.
$(JS)/.package-lock.json: clients/js/package-lock.json clients/js/package.json
	@npm ci --prefix clients/js --silent
	@touch $@

# The peer of `bench-identity`.
$(BENCH_JS)/.package-lock.json: bench/js/package-lock.json bench/js/package.json
	@npm ci --prefix bench/js --silent
	@touch $@

# The peer of `bench-talk`: Synapse from PyPI, on the PostgreSQL of Debian.
$(TOOLS)/synapse/requirements.ok: bench/synapse/requirements.txt $(TOOLS)/debian.ok
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -y -qq postgresql; }
	@python3 -m venv $(TOOLS)/synapse
	@$(TOOLS)/synapse/bin/pip install --quiet --disable-pip-version-check -r bench/synapse/requirements.txt
	@touch $@
