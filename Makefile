# Every command that a user or a developer needs. `make help` lists them.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ARGS ?=
PAGE ?= site
SBOM ?= sbom.json
TARGET ?= query

VENV := .venv
RUN := $(VENV)/bin/python
# Empty files: the date of each says from which lock file the environment was made.
SERVING := $(VENV)/serving.made
DEVELOPMENT := $(VENV)/development.made
DEPLOYMENT := $(VENV)/deployment.made
# Environments of their own: tests without torch, and the services that the benchmark compares with.
QUICK_VENV := .venv-quick
QUICK := $(QUICK_VENV)/quick.made
BENCH_VENV := .venv-bench
BENCHMARK := $(BENCH_VENV)/benchmark.made

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' app/__init__.py)
LOCKED := $(addprefix requirements/,serving.txt training.txt development.txt deployment.txt)
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --upgrade --quiet
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes -r

.DEFAULT_GOAL := help
.PHONY: help serve quick test check install train bench torture capacity page pagebench pictures \
	image container slow coverage fuzz sbom audit format lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

serve: $(SERVING) ## serve the bundled checkpoint on http://127.0.0.1:8000 (HOST, PORT, ARGS)
	@CVAE_HOST=$(HOST) CVAE_PORT=$(PORT) exec $(RUN) -m app $(ARGS)

quick: $(QUICK) ## test model and app without torch and without a browser, in about a minute (ARGS)
	$(QUICK_VENV)/bin/python -m pytest tests/model tests/app $(ARGS)

test: $(DEVELOPMENT) ## install everything and run all tests (ARGS)
	$(RUN) -m pytest $(ARGS)

check: $(DEVELOPMENT) ## check formatting, lint and types, of Python and of the page's scripts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	@command -v tsc >/dev/null || { echo "The scripts of the page cannot be checked, because TypeScript is not installed; run 'apt-get install node-typescript' or 'npm install --global typescript'." >&2; exit 1; }
	tsc --project .

install: $(DEVELOPMENT) ## install everything, run nothing

train: $(DEVELOPMENT) ## train the article's CVAE on MNIST (ARGS="--epochs 10 --data-dir data ...")
	$(RUN) -m training $(ARGS)

bench: $(SERVING) $(BENCHMARK) ## measure the service beside others, 9 minutes (ARGS=--quick: 2)
	$(BENCH_VENV)/bin/python -m benchmarks --python $(RUN) $(ARGS)

torture: $(DEVELOPMENT) ## try every promise of SECURITY.md on a real service, 26 minutes (ARGS=--quick: 6)
	$(RUN) -m torture $(ARGS)

capacity: $(SERVING) ## write docs/capacity.md from docs/benchmark.json
	$(RUN) -m docs.capacity

page: $(SERVING) ## write the page as files for any web server, without a service (PAGE=site)
	$(RUN) -m app.site $(PAGE)

pagebench: $(DEVELOPMENT) ## measure the page in Chromium: bytes, time to the first digit, time of a digit
	$(RUN) -m benchmarks.page

pictures: $(DEVELOPMENT) ## make the README's pictures with its own curl lines, and those of the page
	$(RUN) -m docs.pictures
	$(RUN) -m docs.screenshots
	$(RUN) -m docs.reading

image: ## build the container image cvae-digits
	docker build --tag cvae-digits .

container: $(DEVELOPMENT) $(DEPLOYMENT) ## build the image and test it, with Docker or buildah and podman (ARGS)
	$(RUN) -m pytest -m container $(ARGS)

slow: $(DEVELOPMENT) ## run the tests that take a minute each, which `make test` leaves out (ARGS)
	$(RUN) -m pytest -m slow $(ARGS)

coverage: $(DEVELOPMENT) ## run all tests and print the branch coverage; fails below the floor (ARGS)
	$(RUN) -m coverage run -m pytest $(ARGS)
	$(RUN) -m coverage report

fuzz: $(DEVELOPMENT) ## search for inputs that break a reader, with atheris (TARGET=query, ARGS)
	$(RUN) $(INSTALL) requirements/fuzz.txt
	$(RUN) -m fuzz $(TARGET) $(ARGS)

sbom: $(DEVELOPMENT) ## list the packages that the service consists of, as CycloneDX (SBOM=sbom.json)
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml >$(SBOM).toml
	$(VENV)/bin/cyclonedx-py requirements --pyproject $(SBOM).toml --output-reproducible \
		--output-file $(SBOM) requirements/serving.txt
	@rm $(SBOM).toml

audit: $(DEVELOPMENT) ## look for known vulnerabilities in the locked packages (needs the internet)
	$(VENV)/bin/pip-audit --strict --disable-pip --require-hashes $(LOCKED:%=--requirement %)

format: $(DEVELOPMENT) ## format the code and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

lock: ## write the lock files from pyproject.toml, with the newest versions (needs uv)
	uv pip compile pyproject.toml $(LOCK) -o requirements/serving.txt
	uv pip compile pyproject.toml --extra dev $(LOCK) -c requirements/serving.txt -o requirements/development.txt
	uv pip compile pyproject.toml --extra test $(LOCK) -c requirements/development.txt -o requirements/quick.txt
	uv pip compile pyproject.toml --extra train $(LOCK) -c requirements/development.txt -o requirements/training.txt
	uv pip compile pyproject.toml --extra deploy $(LOCK) -c requirements/development.txt -o requirements/deployment.txt
	uv pip compile pyproject.toml --extra fuzz $(LOCK) -c requirements/development.txt -o requirements/fuzz.txt
	uv pip compile pyproject.toml --extra bench $(LOCK) -o requirements/benchmark.txt

clean: ## remove the environments and all caches; data, runs and checkpoints stay
	rm -rf $(VENV) $(QUICK_VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python $(QUICK_VENV)/bin/python:
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 15) or sys.exit("cvae-digits needs Python 3.11 to 3.14, found %d.%d; try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(@:/bin/python=)

$(SERVING): requirements/serving.txt | $(VENV)/bin/python
	$(RUN) $(INSTALL) $<
	@touch $@

# The development lock has every package of the serving lock, in the same version.
$(DEVELOPMENT): requirements/development.txt requirements/serving.txt | $(VENV)/bin/python
	$(RUN) $(INSTALL) $<
	@touch $(SERVING) $@

# Programs that do not exist for every processor, so only the tests that need them install them.
$(DEPLOYMENT): requirements/deployment.txt | $(DEVELOPMENT)
	$(RUN) $(INSTALL) $<
	@touch $@

$(QUICK): requirements/quick.txt | $(QUICK_VENV)/bin/python
	$(QUICK_VENV)/bin/python $(INSTALL) $<
	@touch $@

$(BENCHMARK): requirements/benchmark.txt | $(VENV)/bin/python
	$(RUN) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python $(INSTALL) $<
	@touch $@
