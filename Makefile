# Everything a fresh machine needs: python3, make and a package index.
#   make demo   sets up, runs all six paths on the synthetic hospital, names the report
#   make test   sets up, runs the tests; of one room only: make test ROOM=statistics
#   make test-all  those that are marked slow, too
#   make docs   builds the documentation site, build/site/index.html; with a report in it
#               where one is named, REPORT=data/08_reporting/report.html
#   make package  builds dist/*.whl and the archive of conf: docs/how-to/packaged.md
#   make sbom   lists what .venv holds, as CycloneDX: dist/sbom.json
.PHONY: demo test test-all test-flows test-rooms test-service lint docs package sbom
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DOCS := build/docs-venv
RELEASE := build/release-venv

export DO_NOT_TRACK := 1
export KEDRO_DISABLE_TELEMETRY := 1
export TF_CPP_MIN_LOG_LEVEL := 3
# Where it is set, each of many processes would compile TensorFlow anew, for 9 s.
unexport PYTHONDONTWRITEBYTECODE

demo: $(INSTALLED)
	$(BIN)/kedro run --env=demo --pipelines=demo \
		--runner=covid_cxr.runners.DaskRunner --runner-params=n_workers=2

# Two halves at once, since most tests compute on one core: whole flows, and single rooms;
# and beside them those of the service, which mostly wait for processes and peers.
# Studies that share nothing with others go with the rooms, which are done sooner.
OWN_STUDIES := $(foreach name,every_format packaged pooled_study second_study tutorial,\
	tests/test_$(name).py)
CHOSEN := -m "not slow"
SERVICE := tests/prediction/service
ROOMS := $(filter-out tests/pipelines/,$(sort $(dir $(wildcard tests/*/test_*.py))))

test: $(INSTALLED)
ifdef ROOM
	$(BIN)/pytest $(CHOSEN) tests/$(ROOM)
else
	$(MAKE) -j3 test-flows test-rooms test-service
endif

test-all: $(INSTALLED)
	$(MAKE) -j3 test-flows test-rooms test-service CHOSEN=

test-flows:
	$(BIN)/pytest $(CHOSEN) tests/pipelines \
		$(filter-out $(OWN_STUDIES),$(wildcard tests/test_*.py))

test-rooms:
	$(BIN)/pytest $(CHOSEN) --ignore=$(SERVICE) $(ROOMS) $(OWN_STUDIES)

test-service:
	$(BIN)/pytest $(CHOSEN) $(SERVICE)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

# In an environment of its own: what builds pages is not what trains. Broken links fail.
# `make docs REPORT=data/08_reporting/report.html` publishes that report with the pages. It
# is never taken unless it is named: it may be of a study that is nobody else's.
docs: $(DOCS)/.installed
	$(DOCS)/bin/zensical build --clean --strict
	$(if $(REPORT),cp $(REPORT) build/site/tutorials/report.html)
	@echo "open build/site/index.html"

# setuptools would pack modules that were there when it last built, and are not now.
package: $(INSTALLED)
	rm -rf build/lib
	$(BIN)/kedro package

sbom: $(INSTALLED) $(RELEASE)/.installed
	mkdir -p dist
	$(RELEASE)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file dist/sbom.json $(BIN)/python

build/%-venv/.installed: requirements-%.lock
	$(PYTHON) -m venv build/$*-venv
	build/$*-venv/bin/python -m pip install --quiet --require-hashes --requirement $<
	touch $@

# The lock holds every package with its hashes; the project itself needs no download.
# Python compiles what is imported; all that is installed would take longer.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and "Python 3.11 to 3.13 is needed, not %d.%d (TensorFlow has no wheel for later ones); name one: make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
