# Needs only Debian, Python >= 3.11 and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test test-heavy test-old-duckdb bench lint docs sample-data lock clean

demo: $(READY)
	$(BIN)/settle demo

test: $(READY) lint
	$(BIN)/python -m pytest -q -n 2 -m "not heavy"

test-heavy: $(READY)
	$(BIN)/python -m pytest -q -m heavy

# The SQL must also run on the line of DuckDB before the locked one.
OLD_DUCKDB := $(VENV)/duckdb-1.5
test-old-duckdb: $(READY)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --upgrade --target $(OLD_DUCKDB) \
	  -r requirements-duckdb-1.5.lock
	PYTHONPATH=$(OLD_DUCKDB) $(BIN)/python -m pytest -q -n 2 -m "not heavy" \
	  tests/test_rules.py tests/test_vectors.py tests/test_month.py tests/test_months_against_oracle.py \
	  tests/test_history.py tests/test_history_sandbox.py

bench: $(READY)
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.procedure
	$(BIN)/python -m tests.bench.history

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python -m schemas.dictionary > docs/data-dictionary.md
	$(BIN)/python -m settlement.audit.rulebook > docs/rules.md
	$(BIN)/python -m settlement.history.dictionary > docs/history.md

sample-data: $(READY)
	$(BIN)/python sample_data/generate.py

lock:
	uv pip compile pyproject.toml --extra dev --extra build --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $(READY)

clean:
	rm -rf $(VENV) outputs/* .pytest_cache .mypy_cache .ruff_cache
