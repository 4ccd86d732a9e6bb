# make demo    from a fresh clone to a browser (PORT, HOST, SOURCE=path)
# make encoder  installs what the encoder needs, which reads pages word by word; make demo uses it then
# make test    everything CI runs
# Both honour DATABASE_URL; without it they use an embedded Postgres.

HOST ?= 127.0.0.1
PORT ?= 8000
SOURCE ?=
PY = .venv/bin/python
WITH_POSTGRES = $(PY) -m archive.postgres run
export PYTHON

.PHONY: demo encoder test lint types unit whole bench lock clean
.DEFAULT_GOAL := demo

demo:
	@./bootstrap requirements.lock
	@$(WITH_POSTGRES) -- $(PY) manage.py demo --host "$(HOST)" --port "$(PORT)" --source "$(SOURCE)"

encoder:
	@./bootstrap requirements-encoder.lock

test: lint types unit whole

.PHONY: dev
dev:
	@./bootstrap requirements-dev.lock

lint: dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djade --check --target-version 6.1 $$(find templates/staff -name '*.html')

types: dev
	.venv/bin/mypy .

# A real browser, every route as every role, any order of acts, erasure, installing, servers and workers that are killed.
WHOLE = tests/browser $(addprefix tests/test_,any_order.py erasure.py jobs.py permissions.py postgres.py project.py)

unit: dev
	$(PY) -m archive.postgres run --temporary -- $(PY) -m pytest --numprocesses 2 $(addprefix --ignore=,$(WHOLE))

whole: dev
	$(PY) -m archive.postgres run --temporary -- $(PY) -m pytest --numprocesses 2 $(WHOLE)

bench: dev
	$(PY) -m archive.postgres run --temporary -- $(PY) tests/bench/rendering.py
	$(PY) -m archive.postgres run --temporary -- $(PY) tests/bench/reading.py
	$(PY) -m archive.postgres run --temporary -- $(PY) tests/bench/loading.py
	$(PY) -m archive.postgres run --temporary -- $(PY) tests/bench/reviewing.py
	$(PY) -m archive.postgres run --temporary -- $(PY) tests/bench/cases.py
	$(PY) -m archive.postgres run --temporary -- $(PY) tests/bench/moderation.py

# Needs uv. Takes the newest versions that pyproject.toml allows.
lock:
	uv pip compile --universal --generate-hashes --no-header --quiet --upgrade --python-version 3.12 pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --quiet --upgrade --python-version 3.12 --extra encoder -c requirements.lock pyproject.toml -o requirements-encoder.lock
	uv pip compile --universal --generate-hashes --no-header --quiet --upgrade --python-version 3.12 --extra encoder --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis screenshots
