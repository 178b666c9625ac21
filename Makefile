# Every target makes what it needs: a virtual environment in .venv, with the package installed in place.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: demo test lint types layers docs bench format clean system

demo: $(STAMP)
	$(BIN)/healthcert demo --out demo-output --show
	$(BIN)/python examples/verify_other_countries.py

test: $(STAMP)
	$(BIN)/pytest --numprocesses auto --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python tools/check_docs.py

# What is measured, and how: make bench ARGS="--quick", ARGS="--only verify peers", ARGS=--help.
bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

# What some tests talk to, from Debian's packages: a hardware module in software, a database server, and other programs'
# opinion of PDFs, pictures and encrypted files. Where they cannot be installed, those tests say so and are skipped.
SYSTEM = softhsm2 opensc postgresql poppler-utils qpdf age libzbar0
system:
	@if ls /usr/lib/softhsm/*.so /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
		&& command -v pdftotext >/dev/null && command -v qpdf >/dev/null && command -v age >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SYSTEM) >/dev/null \
			|| echo "$(SYSTEM) could not be installed: their tests will be skipped"; \
	else echo "some of $(SYSTEM) are not here, and only root can install them: their tests will be skipped"; fi

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo-output .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(STAMP): pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('healthcert needs Python 3.11 or newer; set PYTHON=...') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m compileall -q src cli
	touch $(STAMP)
