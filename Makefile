# One line per command; `make help` lists them. ARGS goes to the program: make demo ARGS=--once

.PHONY: help demo test check
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## start a marketplace to play with: database, gateway, service
	@scripts/demo $(ARGS)

test: ## run every check and every test
	@scripts/test

check: ## format, lints and house rules only
	@scripts/check
