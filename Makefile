# make run      set up what is missing and run the main job
# make test     set up what the tests need, system packages included, and run the whole suite
# make check    lint, format, types, and the tidy tests
# make chaos    the long form of the tests that kill, stop and lose everything while a campaign runs
# make bench    the benchmarks
# make headers  write the .pxd headers, the *_ids.py modules and the reference pages from the sources
# make seeded-kernel build Linux 6.1 with a bug in it as a target: BUG=discard, swapin or migration (docs/real-kernels.md)
# make sanitize the simulator's and fuzzer's tests on a core built with ASan and UBSan
# make wheel    a wheel in dist/
# make clean    remove everything that was set up or built
#
# Set-up is stamped in the virtual environment, so the second `make run` starts at once. Variables:
# PYTHON (which Python to use), VENV, RUN_ARGS, PYTEST_ARGS, BENCH_ARGS, SANITIZE_TESTS, FAULTS, MMFUZZ_BUILD (see setup.py).

PYTHON ?= python3
VENV ?= .venv
RUN_ARGS ?= --seconds 3
PYTEST_ARGS ?=
BENCH_ARGS ?=
SANITIZE_TESTS ?= tests/simcore tests/fuzzer
FAULTS ?= 250
BUG ?= discard
BUILD_JOBS ?= 2

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check
INSTALL := MMFUZZ_BUILD=uncompiled $(PIP) install --constraint constraints.txt --no-build-isolation --editable
CORE_SOURCES := setup.py $(wildcard simcore/*.py simcore/*.pxd simcore/oracles/*.py fuzzer/*.py fuzzer/engines/*)
SANITIZED := $(CURDIR)/build/sanitize

export PYTHON
.PHONY: run test chaos check bench headers seeded-kernel sanitize wheel clean setup setup-test setup-dev
.DELETE_ON_ERROR:

# Exit code 1 says that failures were found, which is what this kernel is for.
run: setup
	@$(VENV)/bin/mmfuzz run 'linux-4.0-rc7-mm1+dirty-on-swapin' $(RUN_ARGS) || test $$? -eq 1

test: system-test setup-test
	$(PY) -m pytest $(PYTEST_ARGS)

chaos: system-test setup-test
	$(PY) -m pytest -s tests/chaos --faults $(FAULTS) $(PYTEST_ARGS)

check: setup-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest -q tests/tidy

bench: setup-test
	@$(VENV)/bin/mmfuzz bench $(BENCH_ARGS)

headers: $(VENV)/installed
	$(PY) setup.py --quiet headers

# Nothing is installed; what is missing is said. The source and the build stay in the cache, 1.7 GB.
seeded-kernel: setup
	$(PY) -m guest.kernel.build --bug $(BUG) --jobs $(BUILD_JOBS) \
	    --folder "$${MMFUZZ_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/mmfuzz}/kernel-source"

# Run where the built packages lie, so that they are imported instead of the checkout's.
sanitize: setup-test
	MMFUZZ_BUILD=sanitize $(PY) setup.py --quiet build --build-base $(SANITIZED) --build-lib $(SANITIZED)/lib
	cd $(SANITIZED)/lib && PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	    LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" $(abspath $(PY)) -m pytest -p no:cacheprovider \
	    -c $(CURDIR)/pyproject.toml --rootdir $(CURDIR) $(PYTEST_ARGS) $(addprefix $(CURDIR)/,$(SANITIZE_TESTS))

wheel: $(VENV)/installed
	rm -rf build/lib.* dist
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist

clean:
	rm -rf $(VENV) build dist *.egg-info simcore/_core*.so fuzzer/_engines*.so
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

setup: $(VENV)/installed $(VENV)/core
setup-test: $(VENV)/installed-test $(VENV)/core
setup-dev: $(VENV)/installed-dev $(VENV)/core

.PHONY: system-test
system-test:
	@.ci/system-packages test

$(VENV)/made:
	@.ci/system-packages build
	@echo "mmfuzz: setting up $(VENV); this is done once"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: pyproject.toml constraints.txt $(VENV)/made
	@$(PIP) install --constraint constraints.txt setuptools Cython
	@$(INSTALL) .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@$(INSTALL) '.[test]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(INSTALL) '.[dev]'
	@touch $@

# Not stamped while there is no compiled core, so that it is said each time and a compiler installed later is used.
$(VENV)/core: $(CORE_SOURCES) $(VENV)/installed
	@echo "mmfuzz: compiling the core"
	@$(PY) setup.py --quiet headers
	@$(PY) setup.py --quiet build_ext --inplace
	@if ls simcore/_core*.so >/dev/null 2>&1; then touch $@; fi
