# Needs Python 3.11 or later, make and a C compiler; everything else is set up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# Threads of numpy and of PyTorch only get in the way of the processes that run side by side.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo map check test test-long lint lines bench calibrate experiments tables layout-check docs zoo kill-test test-network clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/installed ## Run the comparison of the CSC paper; pages under build/reports
	$(BIN)/archsim reproduce csc-dac2019 --out build/reports

map: $(VENV)/installed ## The same with a map of who wins over PEs and bits (under five minutes more, once)
	$(BIN)/archsim reproduce csc-dac2019 --map --out build/reports

test: lint ## Lint, type-check and test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --ignore tests/benchmarks -m 'not long and not network'

test-long: $(VENV)/installed-test ## Pass the tests that are left out there: largest engines, simulators of others, killed runs
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --ignore tests/benchmarks -m long

check: lint ## Lint, type-check and pass the quick tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --ignore tests/benchmarks -m 'not slow and not long and not network'

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-bench ## Measure speed, side by side in one run
	mkdir -p build
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only --benchmark-columns=min,median,rounds \
		--benchmark-json=build/benchmarks.json
	$(BIN)/python -m tests.benchmarks.record build/benchmarks.json
	$(BIN)/python -m tests.benchmarks.toggle_speed
	$(BIN)/python -m tests.benchmarks.training_speed

calibrate: $(VENV)/installed ## Fit the logic models to synthesis anew (about half an hour from nothing)
	$(BIN)/archsim calibrate cmos65 --out archsim/technology/data
	$(BIN)/archsim calibrate artix7 --out archsim/technology/data
	$(BIN)/python -m reports.documentation.evidence archsim/technology/data

experiments: $(VENV)/installed ## Train the networks of the topology studies anew (about three hours of one core)
	$(BIN)/archsim experiments --out reports/studies/topologies/data

tables: $(VENV)/installed-test ## Rebuild the tables of the README and docs, and their pictures
	$(BIN)/python -m reports.documentation.readme .

layout-check: $(VENV)/installed-test ## Hold the placer beside Coriolis, graywolf and qrouter, where they are (under ten minutes)
	@$(MAKE) --no-print-directory build/coriolis/installed || true
	$(BIN)/python -m tests.layout_check build/layout_check

docs: $(VENV)/installed-test ## Build the documentation as a site, under build/docs
	$(BIN)/python -m reports.site.build build/docs

zoo: $(VENV)/installed ## Train the shipped networks anew
	for recipe in workloads/recipes/*.yaml; do \
		$(BIN)/archsim train $$recipe --out workloads/zoo/$$(basename $$recipe .yaml).npz || exit $$?; \
	done

lines: ## Count the lines of code by folder
	@for folder in workloads rtl archsim reports workloads/* rtl/* archsim/* reports/*; do \
		[ -d $$folder ] && printf '%7d  %s\n' $$(find $$folder -name '*.py' -exec cat {} + | wc -l) $$folder; \
	done | grep -v '__pycache__\| 0 '

kill-test: $(VENV)/installed-test ## Kill sweeps at random moments, 100 times
	$(BIN)/python -m tests.archsim.explore.kill_sweep 100

test-network: $(VENV)/installed-test ## Fetch MNIST by each route that answers
	$(BIN)/python -m pytest -m network

clean: ## Remove what was built, not what was cached
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $(VENV)/installed $@

$(VENV)/installed-torch: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[torch]'
	touch $@

$(VENV)/installed-bench: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@

# Coriolis is under the GPL: a program of its own, in an environment of its own.
build/coriolis/installed:
	$(PYTHON) -m venv build/coriolis
	build/coriolis/bin/python -m pip install --quiet --disable-pip-version-check coriolis-eda==2.5.4
	touch $@
