# Millrace: `make up` runs it, `make test` proves it. Everything else is optional.
# ARGS goes to the program: make up ARGS="--demo --exit".
.DEFAULT_GOAL := help
.PHONY: help setup up demo build test chaos fuzz bench eval-search eval-learning lint schema

ARGS ?=
BUILT := $(or $(CARGO_TARGET_DIR),target)
export MILLRACE_HOME ?= $(CURDIR)/.millrace
MILLRACE = $(BUILT)/release/millrace --home "$(MILLRACE_HOME)"

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## fetch Postgres, the model and its runtime into .millrace (once)
	@scripts/setup

build: setup ## build the release binary
	cargo build --release --locked --package millrace-worker

up: build ## run everything on an embedded Postgres until Ctrl-C
	$(MILLRACE) up $(ARGS)

demo: build ## run everything, feed the shipped demo data, show what became of it, stop
	$(MILLRACE) up --demo --exit $(ARGS)

test: ## run the whole test suite against its own throwaway Postgres
	@scripts/setup --tests
	cargo build --locked --package millrace-worker --bin millrace
	@if cargo nextest --version >/dev/null 2>&1; then set -x; cargo nextest run --workspace --locked $(ARGS); \
	else set -x; cargo test --workspace --locked $(ARGS); fi

chaos: ## faults in random order for MILLRACE_CHAOS_SECONDS (300), or ARGS=all: every scenario, into RELIABILITY.md
	@scripts/setup --tests
	cargo build --locked --package millrace-worker --bin millrace
	cargo run --quiet --locked --package millrace-tests --bin millrace-chaos -- $(ARGS)

fuzz: ## coverage-guided fuzzing of everything that strangers' bytes reach, for MILLRACE_FUZZ_SECONDS (300)
	@scripts/fuzz $(ARGS)

bench: build ## measure ingest, queue and pipeline beside references of the same run
	cargo build --release --locked --package millrace-tests --bin millrace-bench
	$(BUILT)/release/millrace-bench $(ARGS)

eval-learning: ## what learning makes of worlds whose truth is known, beside the seed's rule; and a night over a million replies
	cargo build --release --locked --package millrace-tests --bin millrace-bench
	$(BUILT)/release/millrace-bench learning $(ARGS)

eval-search: build ## how well functions are found by their doc comments: of this repository, or ARGS="PATH..."
	cargo build --release --locked --package millrace-tests --bin millrace-bench
	$(BUILT)/release/millrace-bench search $(or $(ARGS),.)

lint: ## formatting, clippy with warnings denied, the linter of migrations, and the house rules
	@scripts/setup --tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	"$(MILLRACE_HOME)/squawk/squawk" migrations/0*.sql
	cargo test --locked --package millrace-tests --test it -- tidy:: migrations::the_schema

schema: ## write migrations/schema.sql anew, after a migration was added
	@scripts/setup --tests
	MILLRACE_WRITE_SCHEMA=1 cargo test --locked --package millrace-tests --test it -- migrations::the_schema
