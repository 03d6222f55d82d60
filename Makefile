# The one door. The same commands here and in CI (`.ci/run`); `make help` lists them.
# GNU make and sh only; everything else comes with `make setup`.
SHELL := /bin/sh
.SHELLFLAGS := -ec
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 2>/dev/null || echo python3)
VENV := .venv
STAMP := $(VENV)/.installed
# Settings of .env, PYTHONPATH, compiled packages; a variable of the environment wins.
RUN := .ci/with_env
PY := $(RUN) $(VENV)/bin/python
# Certificates as the system has them: behind a company's proxy they are its own.
UV := UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 $(VENV)/bin/uv
CUSTOMERS ?= 5000
DAYS ?= 1

.PHONY: help
help: ## list every target
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set up ------------------------------------------------------------------------------------

.PHONY: setup env
setup: $(STAMP) ## install everything from requirements.lock into .venv (again only when it changed)

$(STAMP): requirements.lock
	@command -v $(PYTHON) >/dev/null 2>&1 && $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	    echo "Python 3.11 is missing: '$(PYTHON)' does not run or is another version." >&2; \
	    echo "  do: install Python 3.11 with venv (Debian: apt install python3.11 python3.11-venv)," >&2; \
	    echo "      or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV): some 220 packages, a minute with a warm package cache"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || { \
	    echo "  do: install the venv module of Python 3.11 (Debian: apt install python3.11-venv)" >&2; exit 1; }
	@test -x $(VENV)/bin/uv || { echo "  fetching uv"; $(VENV)/bin/python -m pip -qq --disable-pip-version-check install uv; }
	@unset PYTHONDONTWRITEBYTECODE; VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --no-deps --require-hashes --compile-bytecode -r requirements.lock
	@touch $@

env: .env ## write .env with random keys (0600), unless it exists
.env: | $(STAMP)
	@$(PY) -m dags env

# --- run ---------------------------------------------------------------------------------------

.PHONY: demo advance real replay up report reconcile quarantine data-docs contract-diff
demo: setup env ## embedded sources, every DAG once, figures and a page; twice changes nothing
	@$(PY) -m demo create --customers $(CUSTOMERS)
	@$(PY) -m dags run

advance: setup env ## move the embedded sources on by DAYS=1 days, then load what changed
	@$(PY) -m demo advance --days $(DAYS)
	@$(PY) -m dags run

real: setup env ## the same DAGs on public data, figures compared: DATA=<folder>, into data/real
	@test -n "$(DATA)" && test -d "$(DATA)" || { \
	    echo "The folder of public data is missing. do: make real DATA=<folder>" >&2; exit 1; }
	@folder=$$(CDPATH= cd -- "$(DATA)" && pwd); \
	    KEHU_HOME=$${KEHU_HOME:-data}/real \
	    KEHU_BILLING_URL=file://$$folder KEHU_HIS_URL=file://$$folder \
	    KEHU_ORDERS_URL=file://$$folder KEHU_SERVICE_URL=file://$$folder \
	    KEHU_AS_OF_DATES="2011-12-10 2012-12-31 2013-06-30" KEHU_REPORTING_CURRENCY=GBP \
	    $(PY) -m dags run --day 2013-06-30 && \
	    KEHU_HOME=$${KEHU_HOME:-data}/real $(PY) -m demo.public.check "$$folder"

replay: setup env ## judge and load a batch again: TABLE=<system>.<table> [BATCH=<id>]
	@test -n "$(TABLE)" || { \
	    echo "do: make replay TABLE=<system>.<table> [BATCH=<id>]" >&2; exit 1; }
	@$(PY) -m expectations replay "$(TABLE)" $(if $(BATCH),--batch "$(BATCH)")
	@$(PY) -m warehouse load "$(TABLE)"

reconcile: setup env ## compare the warehouse with the sources, cell by cell: [TABLE=<system>.<table>]
	@$(PY) -m dags reconcile $(if $(TABLE),"$(TABLE)")

quarantine: setup env ## rows that wait, by rule and batch: [TABLE=<system>.<table>]
	@$(PY) -m expectations quarantine $(if $(TABLE),"$(TABLE)")

data-docs: setup env ## pages about the last validation of every table, without values
	@$(PY) -m expectations docs

contract-diff: setup env ## what the sources have that the contracts do not say, and the reverse
	@$(PY) -m extract check

up: setup env ## Airflow on loopback with a login; Ctrl-C ends it
	@$(PY) -m dags up

report: setup env ## write the page again from the published file
	@$(PY) -m report

.PHONY: bench
bench: setup ## each stage against the least work that gives the same rows, as ratios
	@$(PY) -m bench.stages

.PHONY: credit-checks
credit-checks: setup env ## ageing and scorecard on public data, books and scores of a demo: DATA=<folder>
	@test -n "$(DATA)" && test -d "$(DATA)" || { \
	    echo "The folder of public data is missing. do: make credit-checks DATA=<folder>" >&2; exit 1; }
	@export KEHU_HOME=$${KEHU_HOME:-data}/credit-checks; \
	    $(PY) -m demo create --customers 1000 && $(PY) -m dags run && \
	    $(PY) -m analytics credit-checks --data "$(DATA)" --demo "$$KEHU_HOME"

.PHONY: value-checks
value-checks: setup ## lifetime value, RFM and churn against published figures: DATA=<folder>
	@test -n "$(DATA)" && test -d "$(DATA)" || { \
	    echo "The folder of public data is missing. do: make value-checks DATA=<folder>" >&2; exit 1; }
	@$(PY) -m analytics value-checks --data "$(DATA)"

.PHONY: identity-quality
identity-quality: setup env ## the linkage against public data and the demo's truth: DATA=<folder>
	@test -n "$(DATA)" && test -d "$(DATA)" || { \
	    echo "The folder of public data is missing. do: make identity-quality DATA=<folder>" >&2; exit 1; }
	@export KEHU_HOME=$${KEHU_HOME:-data}/identity-quality; \
	    $(PY) -m demo create --customers 5000 && $(PY) -m dags run && \
	    $(PY) -m analytics linkage quality --data "$(DATA)" --demo "$$KEHU_HOME"

# --- check -------------------------------------------------------------------------------------

.PHONY: test faults parity cluster-parity spark-servers workers lint types imports sql-lint dbt-parse
test: setup ## every test but those with a target of their own: faults, parity, cluster-parity, workers
	@$(PY) -m pytest -q -n 2 --dist loadgroup --no-loadscope-reorder --max-worker-restart 0 \
	    -m "not parity and not cluster and not workers and not long" $(TESTS)

faults: setup ## every fault of docs/reliability.md, as often as it says; writes its table of results
	@KEHU_FAULTS=all $(PY) -m pytest -q -n 2 --dist loadscope --max-worker-restart 0 \
	    -p tests.faults.table -m "fault and not cluster" --faults-doc docs/reliability.md $(TESTS)

parity: setup ## the same rows from DuckDB and from Spark's SQL, two days of the demo, no JVM
	@$(PY) -m pytest -q -m parity tests/parity $(TESTS)

cluster-parity: setup spark-servers ## the same rows from real Spark: a 3.5 cluster and 4.1; half an hour
	@$(PY) -m pytest -q -s -m cluster tests/cluster $(TESTS)

workers: setup ## Airflow with two workers of Celery, one killed in the middle; needs Redis, PostgreSQL
	@$(PY) -m pytest -q -m workers tests/workers $(TESTS)

# The servers of `make cluster-parity`, one environment per version of Spark; they need Java 17.
spark-servers: .venv-spark35/.installed .venv-spark41/.installed ## Spark 3.5 and 4.1 into .venv-spark*: about 1 GB
.venv-spark%/.installed: requirements-spark%.lock | $(STAMP)
	@$(PY) -m tests.cluster.servers java
	@test -x $(@D)/bin/python || $(PYTHON) -m venv --without-pip $(@D)
	@VIRTUAL_ENV=$(CURDIR)/$(@D) $(UV) pip install -q --no-deps --require-hashes -r $<
	@touch $@

lint: setup ## Python style
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: setup ## Python types
	@$(VENV)/bin/mypy

imports: setup ## who may import whom
	@$(RUN) $(VENV)/bin/lint-imports --no-logo

sql-lint: setup ## SQL style
	@$(VENV)/bin/sqlfluff lint --disable-progress-bar --nocolor -q dbt_project/models dbt_project/tests

dbt-parse: setup ## the dbt project parses
	@DO_NOT_TRACK=1 $(RUN) $(VENV)/bin/dbt --quiet --no-use-colors --no-version-check \
	    --no-send-anonymous-usage-stats --log-path $(CURDIR)/data/dbt/logs parse \
	    --project-dir $(CURDIR)/dbt_project --profiles-dir $(CURDIR)/dbt_project \
	    --target-path $(CURDIR)/data/dbt/parse

# --- keep --------------------------------------------------------------------------------------

.PHONY: backup restore rebuild lock clean
backup: setup env ## copy the working warehouse, verified; the newest 7 stay: [TO=<folder>] [KEEP=7]
	@$(PY) -m warehouse backup $(if $(TO),--to "$(TO)") $(if $(KEEP),--keep "$(KEEP)")

restore: setup env ## the newest backup, or FILE=<backup>, and what landing received since
	@$(PY) -m warehouse restore $(if $(FILE),"$(FILE)")

rebuild: setup env ## the warehouse anew from landing alone, switched when it is whole
	@$(PY) -m warehouse rebuild

LOCK := pip compile -p 3.11 --generate-hashes --no-header --no-annotate -q
lock: setup ## resolve pyproject.toml again into requirements*.lock
	@$(UV) $(LOCK) pyproject.toml --group dev -o requirements.lock
	@for spark in spark35 spark41; do $(UV) $(LOCK) --group $$spark -o requirements-$$spark.lock; done

clean: ## remove data/ (sources, landing, warehouse, published files), nothing else
	@rm -rf data
