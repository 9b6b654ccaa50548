# make demo, make test: everything they need is put into .venv first. `make help` lists the rest.
# Another Python or another place: make test PYTHON=/path/to/python3.12 VENV=build/venv-3.12

PYTHON =
VENV = .venv
CANDIDATES = $(or $(PYTHON),python3.13 python3.12 python3)
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 12))
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# written last, so an interrupted installation starts again from nothing
PACKAGES = $(VENV)/.packages-installed
READY = $(VENV)/.atrobayes-installed

.DELETE_ON_ERROR:
.PHONY: help setup demo test test-quick lint types docs requirements check clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(READY) ## make the environment in .venv

# A candidate counts only if it runs: a name on the PATH may be a shim without a Python behind it,
# so the places further down the PATH are tried too.
$(PACKAGES): requirements.txt
	@found=; \
	for name in $(CANDIDATES); do \
	  case $$name in */*) places=$$name;; *) places=$$(IFS=:; for folder in $$PATH; do echo "$$folder/$$name"; done);; esac; \
	  for python in $$places; do \
	    if [ -z "$$found" ] && [ -x "$$python" ] && "$$python" -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then found=$$python; fi; \
	  done; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "atrobayes needs Python 3.12 or newer, and found none:" >&2; \
	  for name in $(CANDIDATES); do \
	    echo "  $$name: $$("$$name" --version 2>/dev/null || echo "not there, or does not run")" >&2; \
	  done; \
	  echo "Install Python 3.12 or 3.13, or name one: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$("$$found" --version) ($$found) cannot make virtual environments: the module venv or ensurepip is missing." >&2; \
	  echo "On Debian and Ubuntu: apt install python3-venv. Or name another Python with PYTHON=..." >&2; \
	  exit 1; \
	fi; \
	echo "Installing into $(VENV) with $$("$$found" --version); this takes one to two minutes."; \
	rm -rf "$(VENV)" && "$$found" -m venv "$(VENV)"
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

$(READY): $(PACKAGES) pyproject.toml
	@$(PIP) --no-index --no-deps --no-build-isolation -e .
	@touch $@

# The audit ends with 4, since digits of the paper do not fit each other; any other code is a failure.
demo: $(READY) ## run the example study in demo/ by quadrature, then audit and reanalyse the founding paper's tables
	@test -f demo/study.toml || $(BIN)/atrobayes example demo --quiet
	@$(BIN)/atrobayes run demo/study.toml --engine quadrature --top 3
	@$(BIN)/atrobayes audit --out demo/published-results --quiet; \
	code=$$?; if [ $$code -ne 4 ]; then echo "the audit ended with $$code, expected 4" >&2; exit 1; fi
	@$(BIN)/atrobayes reanalyse --report --top 5 --out demo/published-results
	@echo "example study: demo/results/report.html"
	@echo "published numbers, audited and reanalysed: demo/published-results/report.html"
	@echo "all models, those that need sampling too (minutes): $(BIN)/atrobayes run demo/study.toml"

test: $(READY) ## run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal

test-quick: $(READY) ## run the tests that take less than ten seconds each
	@$(BIN)/python -m pytest -m "not slow" -n auto --dist worksteal

lint: $(READY) ## check style and layout of the code
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(READY) ## check types
	@$(BIN)/mypy

check: lint types test ## all three

docs: $(READY) ## write the generated pages of docs/ anew
	@$(BIN)/python docs/generate.py

# No address and no path of this machine may get into the file: hence no header and no index lines.
requirements: ## pin the newest versions of everything, with hashes (needs uv)
	@uv pip compile --quiet --upgrade --universal --python-version 3.12 --no-python-downloads --generate-hashes \
	  --group dev --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o build-requirements.tmp >/dev/null
	@{ echo "# Everything atrobayes runs on, is tested with and is built by: exact versions with hashes, Python 3.12 and newer."; \
	   echo "# Made from pyproject.toml by \`make requirements\`; not to be edited by hand."; \
	   cat build-requirements.tmp; } > requirements.txt
	@rm build-requirements.tmp

clean: ## remove the environment, the demo and everything built
	@rm -rf "$(VENV)" demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find atrobayes tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
