# Everything a developer needs; each target brings .venv up to date first.
# Set PORT, DATA_DIR, SHAPE, PYTEST_ARGS or CHAOS_ARGS on the command line: make demo PORT=8001

PYTHON := .venv/bin/python
UV_COMPILE := $(PYTHON) -m uv pip compile --quiet --generate-hashes --universal \
	--python-version 3.11 --custom-compile-command "make requirements"
NO_SKIPS := $(if $(filter true,$(CI)),-p tests.plugins.no_skips)
bootstrap = python=$$(scripts/find-python) && "$$python" scripts/bootstrap.py $(1)

.DEFAULT_GOAL := help
.PHONY: help demo order test test-servers chaos lint fmt messages requirements bench clean

help:
	@echo "make demo          start the portal with sample orders (PORT=8000, DATA_DIR=var)"
	@echo "make order         place one more order with the running demo (SHAPE=small)"
	@echo "make test          lint, then every test (PYTEST_ARGS=...)"
	@echo "make test-servers  a part of them on PostgreSQL 15 and Redis 7 (TESTS=tests for all)"
	@echo "make chaos         a storm over everything, then the books (CHAOS_ARGS=--seed=...)"
	@echo "make lint          style, types, floors, templates, migrations, deployment checks"
	@echo "make fmt           format code and templates"
	@echo "make messages      new strings into the catalogues of locale/, compiled (needs gettext)"
	@echo "make requirements  compile requirements/ from pyproject.toml"
	@echo "make bench         run the benchmarks"
	@echo "make clean         remove caches, build results and the demo's data in var/"

demo:
	@$(call bootstrap,demo)
	@exec $(PYTHON) -m portal.demo

order:
	@$(call bootstrap,demo)
	@exec $(PYTHON) -m portal.demo.order $(SHAPE)

test: lint
	@$(call bootstrap,ministack)
	@CHROMIUM="$$($(PYTHON) scripts/find_chromium.py)" && export CHROMIUM && \
		exec $(PYTHON) -m pytest -n 2 $(NO_SKIPS) $(PYTEST_ARGS)

test-servers:
	@$(call bootstrap,dev)
	@exec $(PYTHON) scripts/other_servers.py $(TESTS)

chaos:
	@$(call bootstrap,dev)
	@exec $(PYTHON) -m tests.chaos $(CHAOS_ARGS)

lint:
	@$(call bootstrap,dev)
	@exec $(PYTHON) scripts/lint.py

fmt:
	@$(call bootstrap,dev)
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format --quiet .
	@find templates -name '*.html' -exec .venv/bin/djade {} + || true  # 1: it changed some

messages:
	@$(call bootstrap,dev)
	@$(PYTHON) scripts/messages.py

requirements:
	@$(call bootstrap,dev)
	@$(PYTHON) -m uv --version >/dev/null
	@$(UV_COMPILE) pyproject.toml --group dev -o requirements/dev.txt
	@$(UV_COMPILE) pyproject.toml --group demo -c requirements/dev.txt -o requirements/demo.txt
	@$(UV_COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	@$(UV_COMPILE) --group ministack -o requirements/ministack.txt
	@echo uv | $(UV_COMPILE) - -o requirements/uv.txt

bench:
	@$(call bootstrap,dev)
	@exec $(PYTHON) -m bench

clean:
	@rm -rf var build dist staticfiles htmlcov .coverage .coverage.* .mypy_cache .ruff_cache \
		.pytest_cache .hypothesis .import_linter_cache .grimp_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
