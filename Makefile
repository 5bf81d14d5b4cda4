# The two ways in: `make demo` runs the workbench, `make test` tests it. The rest is for its developers.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
# Without it each process that a test starts compiles the workbench anew, a second or two.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test env stack lint types unit integration ui soak lock reports screenshots texts clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | column -t -s '|'

demo: .venv/ready ## Start master, replica and the app with sample sales, on http://127.0.0.1:5006
	@$(BIN)/workbench demo

env: ## Write .env with random passwords for docker-compose.yml; what it has stays as it is
	@sh compose/env.sh

stack: .venv/ready env ## Start the full stack in Docker Compose, with its schema, views and sample sales
	@docker compose up --detach --build --wait
	@$(BIN)/workbench migrate
	@$(BIN)/workbench risingwave apply
	@$(BIN)/workbench up --sample 50000
	@echo
	@echo "The stack is up: the workbench on http://$$(docker compose port workbench 5006), RisingWave's dashboard on"
	@echo "http://$$(docker compose port risingwave 5691), Prometheus on http://$$(docker compose port prometheus 9090)."
	@echo "\`docker compose down\` stops it; the data stays for the next \`make stack\`."

# Tests mostly wait, for servers or for a browser: two processes at once take little more than half of the time. Browser
# tests run by themselves: Playwright leaves an event loop running in its process, where no other can be started.
# A test with servers or a browser that fails is run once more, and is in the summary either way: decision 26.
test: lint types .venv/chromium .venv/promtool .venv/postgresql ## Run every check and every test, browser tests included
	@$(BIN)/pytest --reruns 1 --rerun-show-tracebacks -ra -n 2 --dist loadfile tests/unit tests/integration
	@$(BIN)/pytest --reruns 1 --rerun-show-tracebacks -ra -n 2 --dist loadfile --no-loadscope-reorder \
	    tests/notebooks tests/ui tests/stack

lint: .venv/ready ## Check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/ready ## Check types
	@$(BIN)/mypy

unit: .venv/promtool ## Run the tests that need no server
	@$(BIN)/pytest tests/unit

integration: .venv/postgresql ## Run the tests on a real master and replica
	@$(BIN)/pytest tests/integration

soak: .venv/chromium ## Sixty sessions of the page Analytics, opened and closed: five minutes, not part of `make test`
	@$(BIN)/pytest tests/soak

ui: .venv/chromium ## Run the tests in a real browser
	@$(BIN)/pytest tests/ui

lock: .venv/ready ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11 --all-extras \
	    --generate-hashes --no-emit-index-url --no-header pyproject.toml --output-file requirements.lock

reports: .venv/ready ## Write the outputs of notebooks/reports again, when a number is meant to change
	@$(BIN)/python -m tests.notebooks.write_reports

screenshots: .venv/chromium ## Take the pictures of README.md again
	@$(BIN)/python -m tests.screenshots

texts: .venv/ready ## Extract the texts of pages, and bring the catalogues of languages in step with them
	@$(BIN)/python -m tests.texts

clean: ## Remove the virtual environment and caches; the data of the servers stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

# The virtual environment: exactly what the lock file says, then this package itself.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv \
	    || { echo "Python cannot make virtual environments: install the package python3-venv" >&2; exit 1; }
	@echo "Installing dependencies into .venv (about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Browser tests use the system's Chromium; as root on Debian it is installed here, elsewhere one line says what to do.
# In chromium-headless-shell, which has no windows, a page costs half of it; where that is not to be had, Chromium does.
.venv/chromium: .venv/ready
	@if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "The browser tests need Chromium: install the package chromium (Debian, Ubuntu: sudo apt install chromium)" >&2; exit 1; fi
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! command -v chromium-headless-shell >/dev/null 2>&1; then \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium-headless-shell; } >/dev/null 2>&1 || :; \
	fi
	@touch $@

# The alert rules are tested by Prometheus' own promtool, the start scripts by shellcheck where there is one.
.venv/promtool: .venv/ready
	@if command -v promtool >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing promtool and shellcheck for the tests ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus shellcheck >/dev/null; \
	else echo "The tests of the alert rules need promtool: install the package prometheus (Debian, Ubuntu: sudo apt install prometheus)" >&2; exit 1; fi
	@touch $@

# TLS is tested on Debian's PostgreSQL: the wheel's is built without. It gets no cluster of its own at installation.
.venv/postgresql: .venv/ready
	@if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing PostgreSQL for the tests of TLS ..."; \
	    mkdir -p /etc/postgresql-common/createcluster.d; \
	    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/workbench-tests.conf; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql openssl >/dev/null; \
	    rm /etc/postgresql-common/createcluster.d/workbench-tests.conf; \
	else echo "The tests of TLS need a PostgreSQL server: install the package postgresql (Debian, Ubuntu: sudo apt install postgresql)" >&2; exit 1; fi
	@touch $@
