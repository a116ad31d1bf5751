# make up | down | ps | logs | clean    the stack; FRONTS, WORKERS, MODE=native|compose
# make test | lint | format | docs | conformance
# make bench | micro | callgrind     ONLY=durable,echo ROUNDS=1 DURATION=2 make bench: a part, quickly
# make neighbours                   how long others wait while somebody is a nuisance; ONLY=pings,lane DURATION=3 make neighbours: a part
# make chaos CHAOS="run --short --seed 7" | chaos-sabotage
FRONTS ?= 2
WORKERS ?= 2
export FRONTS WORKERS
ifdef MODE
export MODE
endif
ifdef ONLY
export ONLY
endif
ifdef FILTER
export FILTER
endif

.PHONY: help up down ps logs clean test lint format docs conformance bench neighbours micro callgrind chaos chaos-sabotage
help:
	@head -n 5 Makefile

up down ps logs clean:
	@scripts/stack $@

test:
	@scripts/test

lint:
	@scripts/lint

format:
	@swift format --in-place --recursive --parallel Package.swift Sources Tests

docs:
	@scripts/docs

conformance:
	@scripts/conformance

bench:
	@scripts/bench

neighbours:
	@scripts/neighbours

micro:
	@scripts/micro

callgrind:
	@scripts/micro callgrind

# CHAOS="rolling", CHAOS="run --short", CHAOS="run --duration 1800 --seed 7", …
CHAOS ?= run
chaos:
	@scripts/chaos $(CHAOS)

chaos-sabotage:
	@scripts/chaos sabotage
