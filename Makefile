# `make demo` and `make test` do all their set-up, into .venv, on a fresh machine.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: demo test test-cuda docs lint doctor clean

demo: $(VENV)/ready
	$(RUN) tutorials/04_mlp_on_digits.py

test: $(VENV)/ready
	$(RUN) -m pytest -n 2 -q

# What goes through pycuda, on an emulated driver; builds pycuda, which needs no GPU.
test-cuda: $(VENV)/pycuda
	$(RUN) -m pytest -q tests/codegen/test_pycuda.py

# The pages that list every operation and every rule.
docs: $(VENV)/ready
	$(RUN) docs/build.py

lint: $(VENV)/ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

doctor: $(VENV)/ready
	$(RUN) -m symcomp doctor

# The stamp is written last, so that an interrupted set-up starts again.
$(VENV)/ready: setup.cfg pyproject.toml
	@echo 'Setting up $(VENV): this downloads packages, and takes a minute.'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@

$(VENV)/pycuda: $(VENV)/ready tests/codegen/emulated_cuda/install_pycuda.py
	$(RUN) tests/codegen/emulated_cuda/install_pycuda.py
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
