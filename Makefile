# make up | down | ps | logs | clean    the stack; FRONTS, WORKERS, MODE=native|compose
# make test | lint | format | conformance | bench
# make chaos CHAOS="run --short --seed 7" | chaos-sabotage
FRONTS ?= 2
WORKERS ?= 2
export FRONTS WORKERS
ifdef MODE
export MODE
endif
ifdef FILTER
export FILTER
endif

.PHONY: help up down ps logs clean test lint format conformance bench chaos chaos-sabotage
help:
	@head -n 3 Makefile

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

# CHAOS="rolling", CHAOS="run --short", CHAOS="run --duration 1800 --seed 7", …
CHAOS ?= run
chaos:
	@scripts/chaos $(CHAOS)

chaos-sabotage:
	@scripts/chaos sabotage
