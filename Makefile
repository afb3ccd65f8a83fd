# What is checked, and how. `.ci/run` calls the same targets from a bare checkout.
# `make` alone is what to run before a commit: seconds, no tests. `make test` is the suite.
PYTHON ?= python
PROCESSES ?= 2
# Threads that spin while they wait make processes on few cores each other several times slower.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY = passive
export NO_MKDOCS_2_WARNING = 1
# Empty is off. Tests start Python a hundred times: what is compiled once is kept.
export PYTHONDONTWRITEBYTECODE =

# The twenty slowest tests are named at the end.
# Neighbours stay together, so that what a file shares is made once; who has finished takes half of what the other has left.
SUITE = -n $(PROCESSES) --dist worksteal --durations=20
# Fails below the floor in pyproject.toml.
COVERAGE = $(SUITE) --cov --cov-report=term:skip-covered

.PHONY: check setup lint types format test coverage coverage-options slow docs

check: lint types

setup:
	$(PYTHON) -m pip install -e ".[test,lint,docs]"

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types:
	$(PYTHON) -m pyright --pythonpath "$$($(PYTHON) -c 'import sys; print(sys.executable)')"

test:
	$(PYTHON) -m pytest -q $(SUITE)

coverage:
	$(PYTHON) -m pytest -q $(COVERAGE)

coverage-options:
	@echo "$(COVERAGE)"

slow:
	$(PYTHON) -m pytest -q -m slow

docs:
	$(PYTHON) -m mkdocs build --strict --quiet --site-dir build/site
