# make up | down | ps | logs | clean    the stack; FRONTS, WORKERS, MODE=native|compose
# make test | lint | format | conformance | bench
FRONTS ?= 2
WORKERS ?= 2
export FRONTS WORKERS
ifdef MODE
export MODE
endif
ifdef FILTER
export FILTER
endif

.PHONY: help up down ps logs clean test lint format conformance bench
help:
	@head -n 2 Makefile

up down ps logs clean:
	@scripts/stack $@

test:
	@scripts/test

lint:
	@scripts/lint

format:
	@swift format --in-place --recursive --parallel Package.swift Sources Tests

conformance:
	@scripts/conformance

bench:
	@scripts/bench
