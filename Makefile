# Every command a user or a developer needs. `make help` lists them.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
PAGE ?= site

VENV := .venv
RUN := $(VENV)/bin/python
# An empty file each: its date says from which lock file the environment was made.
SERVING := $(VENV)/serving.made
DEVELOPMENT := $(VENV)/development.made
DEPLOYMENT := $(VENV)/deployment.made
# The benchmark's other services have an environment of their own.
BENCH_VENV := .venv-bench
BENCHMARK := $(BENCH_VENV)/benchmark.made

LOCKED := $(addprefix requirements/,serving.txt training.txt development.txt deployment.txt)

.DEFAULT_GOAL := help
.PHONY: help serve test check install train bench torture capacity page pagebench pictures image container slow sbom audit format lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

serve: $(SERVING) ## serve the bundled checkpoint on http://127.0.0.1:8000 (HOST, PORT, ARGS)
	@CVAE_HOST=$(HOST) CVAE_PORT=$(PORT) exec $(RUN) -m app $(ARGS)

test: $(DEVELOPMENT) ## make the whole environment and run all tests (ARGS)
	$(RUN) -m pytest $(ARGS)

check: $(DEVELOPMENT) ## formatting, lint and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

install: $(DEVELOPMENT) ## make the whole environment, run nothing

train: $(DEVELOPMENT) ## train the article's CVAE on MNIST (ARGS="--epochs 10 --data-dir data ...")
	$(RUN) -m training $(ARGS)

bench: $(SERVING) $(BENCHMARK) ## measure the service beside others, about 9 minutes (ARGS=--quick: 2)
	$(BENCH_VENV)/bin/python -m benchmarks --python $(RUN) $(ARGS)

torture: $(DEVELOPMENT) ## hold every promise of SECURITY.md against a real service, about 23 minutes (ARGS=--quick: 5)
	$(RUN) -m torture $(ARGS)

capacity: $(SERVING) ## write docs/capacity.md anew from docs/benchmark.json
	$(RUN) -m docs.capacity

page: $(SERVING) ## write the page for any host of files, without a service (PAGE=site)
	$(RUN) -m app.site.build $(PAGE)

pagebench: $(DEVELOPMENT) ## measure the page in Chromium: bytes, time to the first digit, time of a digit
	$(RUN) -m benchmarks.page

pictures: $(DEVELOPMENT) ## make the README's pictures anew with its own curl lines, and of the page
	$(RUN) -m docs.pictures
	$(RUN) -m docs.screenshots

image: ## build the container image cvae-digits
	docker build --tag cvae-digits .

container: $(DEVELOPMENT) $(DEPLOYMENT) ## build the image and test it, with Docker or buildah and podman (ARGS)
	$(RUN) -m pytest -m container $(ARGS)

slow: $(DEVELOPMENT) ## the tests that take a minute of a core each, which `make test` leaves out (ARGS)
	$(RUN) -m pytest -m slow $(ARGS)

sbom: $(DEVELOPMENT) ## list what the service consists of: sbom.json, in the form CycloneDX
	$(VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file sbom.json requirements/serving.txt

audit: $(DEVELOPMENT) ## look for known weaknesses of the locked packages (needs the internet)
	$(VENV)/bin/pip-audit --strict --disable-pip --require-hashes $(LOCKED:%=--requirement %)

format: $(DEVELOPMENT) ## format the code and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml $(LOCK) -o requirements/serving.txt
	uv pip compile pyproject.toml --extra dev $(LOCK) -c requirements/serving.txt -o requirements/development.txt
	uv pip compile pyproject.toml --extra train $(LOCK) -c requirements/development.txt -o requirements/training.txt
	uv pip compile pyproject.toml --extra deploy $(LOCK) -c requirements/development.txt -o requirements/deployment.txt
	uv pip compile pyproject.toml --extra bench $(LOCK) -o requirements/benchmark.txt

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --upgrade --quiet

clean: ## remove the environment and all caches; data, runs and checkpoints stay
	rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("cvae-digits needs Python 3.11 or newer, found %d.%d; try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(SERVING): requirements/serving.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The development lock holds every package of the serving lock, in the same version.
$(DEVELOPMENT): requirements/development.txt requirements/serving.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $(SERVING) $@

# Programs that are not there for every processor, so that only those who need them get them.
$(DEPLOYMENT): requirements/deployment.txt | $(DEVELOPMENT)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(BENCHMARK): requirements/benchmark.txt | $(VENV)/bin/python
	$(RUN) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
