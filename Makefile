PYTHON ?= python

.PHONY: check test bench

check: ## format, lint, types
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest

bench: ## side by side with peers; needs pip install '.[bench]'
	$(PYTHON) benchmarks/run.py
