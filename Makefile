# make run                   try it: a private mail system below ./var/, SMTP on 127.0.0.1:2525, Ctrl-C stops it
# make test                  all tests that can run here, with a loud summary of what could not
# make coverage              as make test, and counts what runs inside whole mail systems, which takes longer
# make check                 types, style, storeys
# make install PREFIX=DIR    a whole mail system below DIR
# make docs                  the documentation as pages to read in a browser, in build/docs
# make man                   the manual, finished, in build/man: man -M build/man postfix
# make bench                 side by side with the reference Postfix (root and Debian)
# make crash                 a thousand kills under load, some of whose mail goes to a server that is not to be relied on (root)
# make test-each             the unit tests on each Python 3.11 to 3.13 of this machine; PYTHONS=others: not on the one of make test
#
# PYTHON=program chooses the interpreter, VENV=folder the virtual environment for development, PORT the port of make run.

SHELL := /bin/sh
PYTHON ?= $(shell pyfix/install/pythons.sh best)
VENV ?= .venv
PORT ?= 2525
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check -q
# Tests of whole instances are bound by waiting, not by the processor: four at a time even on a small machine.
JOBS ?= 4
TESTS ?= tests
# Another chance for a test that fails, shown as R and by its name at the end: for a machine that stands still at times.
# None by default: a test that fails now and then is a test, or a program, to be mended.
RERUNS ?= 0
# Of the tests that failed all the same, so many at most run again, one at a time with nothing beside them, and are named.
ALONE ?= 0
BENCH ?=
PYTHONS ?= each

.PHONY: run test coverage check install man docs bench crash test-each unit clean

run: $(VENV)/.run
	@exec $(VENV)/bin/python -m pyfix.install run . var $(PORT)

test: $(VENV)/.test
	@status=0; \
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist loadgroup --reruns $(RERUNS) --reruns-delay 1 -rR --cov=pyfix --cov-report=term:skip-covered $(PYTEST) $(TESTS) || status=$$?; \
	if [ $$status = 1 ] && [ "$$($(VENV)/bin/python -m pytest --last-failed --collect-only $(TESTS) | grep -c ::)" -le $(ALONE) ]; then \
	  echo "== to be mended, as they failed beside others; now one at a time"; status=0; \
	  $(VENV)/bin/python -m pytest --last-failed --last-failed-no-failures none --reruns $(RERUNS) --reruns-delay 1 -rR -v $(PYTEST) $(TESTS) || status=$$?; \
	fi; exit $$status

# What daemons save with the rights of several users lies in a folder that is open to all; PYTEST and TESTS as for make test.
coverage: $(VENV)/.test
	@data=$$(mktemp -d) && chmod 1777 "$$data" && trap 'rm -rf "$$data"' EXIT && status=0 && \
	PYFIX_TEST_COVERAGE="$$data" $(VENV)/bin/python -m pytest -n $(JOBS) --dist loadgroup --cov=pyfix --cov-report= $(PYTEST) $(TESTS) || status=$$?; \
	$(VENV)/bin/coverage combine -q --append "$$data" && $(VENV)/bin/coverage report --skip-covered && exit $$status

check: $(VENV)/.test
	$(VENV)/bin/mypy
	$(VENV)/bin/ruff check
	PATH="$(VENV)/bin:$$PATH" lint-imports

# What is built is a copy: the checkout stays as it is, and may be read-only.
install:
	@test -n "$(PREFIX)" || { echo "usage: make install PREFIX=DIR" >&2; exit 2; }
	@case "$(PREFIX)" in /*) ;; *) echo "PREFIX must be an absolute path" >&2; exit 2 ;; esac
	@case "$(PREFIX)" in *[[:space:]]*) echo "PREFIX must not have blanks in it" >&2; exit 2 ;; esac
	@umask 022 && copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	$(PYTHON) -m venv $(PREFIX)/lib/pyfix && \
	$(PYTHON) -c 'from shutil import *; copytree("pyfix", "'$$copy'/pyfix", ignore=ignore_patterns("__pycache__"))' && \
	cp -R setup.cfg pyproject.toml README.md LICENSE etc man "$$copy" && \
	$(PREFIX)/lib/pyfix/bin/python -m pip --disable-pip-version-check --no-cache-dir -q install --upgrade "$$copy" && \
	cd / && $(PREFIX)/lib/pyfix/bin/python -I -m pyfix.install system "$(CURDIR)" $(PREFIX)

docs: $(VENV)/.test
	$(VENV)/bin/python -m mkdocs build -q

man: $(VENV)/.run
	$(VENV)/bin/python -m pyfix.install manual . build/man

bench: $(VENV)/.test
	$(VENV)/bin/python -m tests.bench $(BENCH)

crash: $(VENV)/.test
	PYFIX_TEST_KILLS=$${PYFIX_TEST_KILLS:-1000} $(VENV)/bin/python -m pytest -s $(PYTEST) tests/crash/test_kill.py

test-each:
	for python in $$(pyfix/install/pythons.sh $(PYTHONS)); do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "== unit tests on Python $$version"; \
	  $(MAKE) --no-print-directory PYTHON=$$python VENV=$(VENV)-$$version unit || exit 1; \
	done

unit: $(VENV)/.test
	$(VENV)/bin/python -m pytest -n $(JOBS) --reruns $(RERUNS) --reruns-delay 1 -rR $(PYTEST) tests/unit

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(PIP) install -e .
	@touch $@

$(VENV)/.test: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(PIP) install -e '.[test,check]'
	@$(PIP) install -e '.[ldap]' >/dev/null 2>&1 || echo "no tests of ldap: tables: python-ldap is built with a C compiler, Python's headers, libldap-dev and libsasl2-dev" >&2
	@touch $@ $(VENV)/.run

clean:
	rm -rf build pyfix.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
