# Every target installs what it needs into .venv from the package registry; nothing else is required
# than Python >= 3.11 and make. ARGS="…" is passed on: make demo ARGS="--for 60s".
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.PHONY: demo test test-containers torture prove check fix bench bench-page docs lock clean

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

## demo: the whole stack on embedded engines, the B2B pipeline imported, live figures
demo: $(STAMP)
	$(BIN)/daybook demo $(ARGS)

## test: every test: first the quick ones with the coverage of the pure core, then real engines, a
## few files at a time, each worker with engines of its own (it mostly waits for them); or ARGS
test: $(STAMP)
ifeq ($(ARGS),)
	$(BIN)/python -m pytest --ignore=tests/integration -n 2 --cov --cov-report=term
	$(BIN)/python -m pytest tests/integration -n 2 --dist loadfile --no-loadscope-reorder --durations=25
else
	$(BIN)/python -m pytest $(ARGS)
endif

## test-containers: the chain on real servers; needs a Docker engine
test-containers: $(STAMP)
	$(BIN)/python -m pytest --override-ini testpaths=tests/containers --override-ini norecursedirs= $(ARGS)

## torture: kill everything again and again while events flow, then compare all; ARGS="--help"
torture: $(STAMP)
	$(BIN)/python -m tests.exactness $(ARGS)

## prove: take each protection away, in a copy, and see its test fail; an hour, ARGS=--quick: minutes
prove: $(STAMP)
	$(BIN)/python -m tests.exactness.prove $(ARGS)

## check: lint, format, types, import contracts, sizes, schemas, docs
check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.checks.sizes
	$(BIN)/python -m tests.checks.determinism
	$(BIN)/daybook schemas check
	$(BIN)/mkdocs build --strict --quiet

## fix: what the formatter and the linter can mend
fix: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## bench: everything beside its peers, up to 20 minutes; started again, it goes on where it stopped
bench: $(STAMP)
	$(BIN)/python -m benchmarks.run $(ARGS)

## bench-page: put the results of the last `make bench` (or ARGS=FILE) into docs/performance.md
bench-page: $(STAMP)
	$(BIN)/python -m benchmarks.report $(ARGS)

## docs: build the documentation into site/
docs: $(STAMP)
	$(BIN)/mkdocs build --strict

## lock: resolve the dependencies again
lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --all-extras pyproject.toml -o requirements.lock

## clean: remove what make and the demo made
clean:
	-test ! -d .daybook || $(BIN)/daybook dev down
	rm -rf $(VENV) site .daybook .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage htmlcov dist build *.egg-info
