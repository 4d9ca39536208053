# Perspektive: everything a newcomer types. `make` alone explains.
PYTHON ?= python3
TIME ?=
NAME ?=
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run test demo reset forward lint pictures calendar mails bench
# One target at a time: two set-ups side by side would share .venv.
.NOTPARALLEL:

help: ## show what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.ready-to-run ## start everything on this machine; Ctrl-C stops it (PORT=8000, MAILBOX_PORT=8025)
	@exec .venv/bin/python -m deploy.local run

demo: .venv/.ready-to-run ## play a campaign from offer to reminder against a running system
	@exec .venv/bin/python -m deploy.local.demo

forward: .venv/.ready-to-run ## move the clock of the running system: make forward TIME="14 days"
	@exec .venv/bin/python -m deploy.local forward "$(TIME)"

pictures: .venv/.ready-to-test ## take the pictures of docs/pictures from a running, fresh start
	@exec .venv/bin/python -m tests.support.pictures docs/pictures

calendar: .venv/.ready-to-test ## draw the life of a calendar entry from a real run
	@exec .venv/bin/python -m tests.support.calendar_life docs/pictures/calendar-life.svg

mails: .venv/.ready-to-test ## take pictures of the main kinds of mails
	@exec .venv/bin/python -m tests.support.mail_pictures docs/pictures

bench: .venv/.ready-to-run ## measure: make bench NAME=pages OPTIONS="--times 60"; without a name it says what there is
	@exec .venv/bin/python -m benchmarks $(NAME) $(OPTIONS)

reset: .venv/.ready-to-run ## delete all data of the embedded start
	@exec .venv/bin/python -m deploy.local reset

test: .venv/.ready-to-test ## run all tests; TESTS="tests/unit -k waiting" runs some of them
	@exec .venv/bin/python -m pytest -n auto --maxprocesses 4 $(TESTS)

lint: .venv/.ready-to-test ## check style and formatting
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

# The stamps let a second start go without the network.
.venv/.ready-to-run: uv.lock pyproject.toml shared/ui/package-lock.json deploy/set_up.py
	@$(PYTHON) deploy/set_up.py run

.venv/.ready-to-test: uv.lock pyproject.toml shared/ui/package-lock.json deploy/set_up.py
	@$(PYTHON) deploy/set_up.py test
