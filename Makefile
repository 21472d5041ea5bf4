# Two commands on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# One thread of arithmetic per process: two workers on two cores, and the same bits everywhere.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: demo test pytest check speed soak clean

$(VENV)/.demo: pyproject.toml constraints.txt
	@echo "installing into $(VENV): 2 GB, 2 to 10 minutes, and little is shown meanwhile"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	@echo "installing into $(VENV): 2 GB, 2 to 10 minutes, and little is shown meanwhile"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## install, run the quickstart suite on this machine, write the report
	$(BIN)/augbench run bench/suites/quickstart.toml
	$(BIN)/augbench report runs/quickstart

# What only reads the code goes beside the tests, and its few lines stand among their dots.
test: $(VENV)/.test  ## install with the development tools, run every check
	$(MAKE) -j2 check pytest

# Three processes on two cores: many tests wait for other processes.
pytest: $(VENV)/.test
	$(BIN)/python -m pytest -n 3 --dist worksteal

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

speed: $(VENV)/.test  ## print the tables of tests/speed (ratios, measured in one run)
	for script in tests/speed/*.py; do PYTHONPATH=tests/kit $(BIN)/python $$script || exit 1; done

soak: $(VENV)/.test  ## print what thousands of trials and random kills come to (half an hour)
	for script in tests/soak/*.py; do PYTHONPATH=tests/kit $(BIN)/python $$script || exit 1; done

clean:
	rm -rf runs $(VENV)
