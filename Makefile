# One command for everything. PYTHON names the interpreter that makes the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

# Tests and users start the program often: without bytecode each start would compile it all again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run demo test check format bench snapshots pictures docs lock clean

help: ## show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

install: $(STAMP) ## make the virtual environment from the lock file

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gpuconsole needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' >/dev/null 2>&1 || \
		{ echo "this Python has no venv module; on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP) ## open the console on this host
	@$(BIN)/gpuconsole $(ARGS)

demo: $(STAMP) ## open the console on the rehearsal host
	@$(BIN)/gpuconsole demo $(ARGS)

# What failed beside all the others is run once more alone: only a test that fails alone too is wrong,
# for many wait for real processes, and an overloaded machine lets them wait too long.
test: $(STAMP) ## run the tests
	$(BIN)/python -m pytest -n auto $(ARGS) || \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none $(ARGS)

check: $(STAMP) ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure against the budgets and against what is installed of the peers
	$(BIN)/python -m tests.bench $(ARGS)

snapshots: $(STAMP) ## accept how the screens look now
	$(BIN)/python -m pytest -n auto tests/tui --snapshot-update

pictures: $(STAMP) ## take the docs' pictures again
	$(BIN)/python -m tests.screenshots $(ARGS)

docs: $(STAMP) ## make the runbook's page, and what the program prints into others
	$(BIN)/python -m actions.runbook.manual docs/troubleshooting.md
	$(BIN)/python -m tests.docs.made

lock: ## pin every dependency again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--group dev pyproject.toml -o requirements.lock

clean: ## remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
