# One line per command; `make help` lists them. ARGS goes to the program: make demo ARGS=--once

.PHONY: help demo bench crash properties test check
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## start a marketplace to play with: database, gateway, service
	@scripts/demo $(ARGS)

bench: ## measure how fast the books are; about a quarter of an hour
	@scripts/bench $(ARGS)

crash: ## deal a thousand crashes to real processes, and prove the books; about half an hour
	@MIZAN_TEST_CRASHES=$${MIZAN_TEST_CRASHES:-1000} cargo test --locked --test crash -- --nocapture

properties: ## try the properties on cases nobody saw; ROUNDS=20 says how often
	@scripts/properties

test: ## run every check and every test
	@scripts/test

check: ## format, lints and house rules only
	@scripts/check
