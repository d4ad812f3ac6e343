# Two commands on a fresh machine: `make demo` and `make test`. `make` alone lists the rest.
PYTHON := .venv/bin/python
WORKERS ?= 2
# Where the environment forbids Python to keep its bytecode, as many containers do, each of the hundreds of processes of a
# test run would compile all that it imports anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup environments demo serve train test faults oracle takeover talks loop norms quarter bench bench-backlog bench-sweeps bench-takeover bench-console bench-training swaps rivals lint format clean

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make ready: uv, both environments, a trained model (idempotent)
	@scripts/setup

environments: ## Only the first half of setup: uv and both environments, no model
	@scripts/setup uv app rasa

demo: setup ## Play resident and staff in the browser: everything on this machine
	@./guanjia demo

serve: setup ## Run the real thing on this machine, settings from .env
	@./guanjia serve

train: environments ## Train the understanding from nlu/data (skipped when the data has not changed)
	@./guanjia train

test: setup ## Unit and integration tests (ARGS="-k word" for some of them)
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

faults: setup ## The long run of kills and faults; its figures go into docs/
	@$(PYTHON) -m pytest -m faults $(ARGS)

oracle: environments ## Service time on 10,000 random calendars against counting minute by minute
	@$(PYTHON) -m pytest -m oracle $(ARGS)

takeover: environments ## Ten thousand random histories of takeovers, crashes included (ARGS="--runs 500 --first 1")
	@$(PYTHON) -m tests.takeover.command $(ARGS)

talks: setup ## Three hundred turns in random order over the whole house: nothing lost, doubled or unanswered
	@$(PYTHON) -m pytest -m talks tests/conversations $(ARGS)

loop: setup ## From a label to a served model and back: browser, console, trainer, Rasa, residents
	@$(PYTHON) -m pytest -m loop tests/console $(ARGS)

norms: setup ## Every promise of docs/norms.md taken out once: the test that watches it must fail
	@$(PYTHON) -m pytest -m norms -n $(WORKERS) tests/norms $(ARGS)

quarter: environments ## A quarter of a community in minutes (ARGS="--seeds 20")
	@$(PYTHON) -m tests.quarter.command $(ARGS)

bench: setup ## Throughput and latency against stock Rasa, as a table
	@./guanjia bench $(ARGS)

bench-takeover: environments ## 60 residents talk with butlers at Telegram's 20 events a minute: lag, order, nothing lost (an hour)
	@./guanjia bench takeover $(ARGS)

swaps: setup ## Swap the model 20 times under load: nobody waits, memory stays flat
	@./guanjia bench swaps $(ARGS)

bench-training: setup ## Train, compare and activate a model while residents write 5 messages a second
	@./guanjia bench training $(ARGS)

bench-backlog: setup ## 100,000 call-backs that fell due in a week, worked off while residents talk
	@./guanjia bench backlog $(ARGS)

bench-sweeps: environments ## Every sweep with nothing due among 1,000,000 rows, and a sheet of 100,000
	@./guanjia bench sweeps $(ARGS)

bench-console: environments ## Every page of the console over 1,000,000 messages, 200,000 cases, 50,000 households
	@./guanjia bench console $(ARGS)

rivals: setup ## Our understanding beside stock Rasa and spaCy, in an environment that is thrown away
	@scripts/rivals $(ARGS)

lint: environments ## Every check that needs no running program
	@scripts/lint

format: environments ## Let ruff put the code into shape
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

clean: ## Remove environments, models and caches; .env and the data in var/ stay
	rm -rf .tools .venv nlu/.venv models .ruff_cache .mypy_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
