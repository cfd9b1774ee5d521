PYTHON ?= python

.PHONY: check test docs look lite bench page asan tsan valgrind

check: ## format, lint, types, workflows
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	clang-format --dry-run --Werror src/native/*.h src/native/*.cpp
	$(PYTHON) -m mypy
	zizmor --offline --quiet .github

test:
	$(PYTHON) -m pytest -n auto

docs: ## the documentation, into docs/_build/html; needs pip install '.[docs]'
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(PYTHON) docs/check_links.py docs/_build/html

look: ## the documentation in a browser, narrow and wide, light and dark; needs pip install playwright, and Chromium
	$(PYTHON) docs/look.py docs/_build/html

lite: ## the lesson's notebooks for the browser, beside the documentation; needs pip install '.[lite]'
	$(PYTHON) docs/lite.py

page: ## the page of the studio, into src/reseau/studio/page; needs Node.js 20.19 or later
	$(PYTHON) studio/build.py

bench: ## side by side with peers; needs pip install '.[bench]'
	$(PYTHON) benchmarks/run.py

asan: ## the tests, watched for memory errors and undefined behaviour
	PYTHON=$(PYTHON) .ci/sanitize address

tsan: ## the tests, watched for data races
	PYTHON=$(PYTHON) .ci/sanitize thread

valgrind: ## small fits, watched for memory that nobody wrote
	PYTHON=$(PYTHON) .ci/sanitize valgrind
