# Every target sets up what it needs in a fresh clone (its own .venv) and does again only what changed.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
NATIVE := $(shell find csrc -type f) CMakeLists.txt pyproject.toml
JOBS ?= $(shell nproc)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)

.PHONY: demo test bench docs lint native-tests clean
.DELETE_ON_ERROR:

demo: .venv/.core ## make a graph, embed it, evaluate it, draw it: the whole first job in a minute
	$(BIN)/weft demo --out weft-demo

test: lint native-tests .venv/.test ## every check that CI runs
	TRITON_INTERPRET=1 $(BIN)/python -m pytest -n $(JOBS) -q --dist worksteal
	$(BIN)/python -m benchmarks check

lint: .venv/.test ## style, types, floors
	$(BIN)/ruff check src tests benchmarks examples docs
	$(BIN)/ruff format --check src tests benchmarks examples docs
	$(BIN)/pyrefly check
	$(BIN)/lint-imports --no-cache

# The core once more with sanitizers: its own C++ tests, then the tests of the kernels and of caches on a sanitized module
# (-S: without the start-up hook of the editable install, which would bring in the ordinary module).
native-tests: build/asan/.passed build/tsan/.passed build/asan-site/.passed

build/asan/.passed build/tsan/.passed: build/%/.passed: $(NATIVE)
	cmake -S . -B build/$* -G Ninja -DWEFT_NATIVE_TESTS=ON \
		-DWEFT_SANITIZE=$(if $(filter tsan,$*),thread,address,undefined) > build/$*.log || (cat build/$*.log; exit 1)
	cmake --build build/$* >> build/$*.log || (tail -n 60 build/$*.log; exit 1)
	ctest --test-dir build/$* --output-on-failure --no-tests=error
	touch $@

SANITIZED = PYTHONPATH=build/asan-site:$(wildcard .venv/lib/python*/site-packages) LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 WEFT_SANITIZED=1 PYTHONMALLOC=malloc \
	$(BIN)/python -S -m pytest -q -m "not slow and not gpu" -p no:cacheprovider

build/asan-site/.passed: $(NATIVE) $(shell find tests/unit/kernels tests/unit/features -name '*.py') .venv/.test
	rm -rf build/asan-site
	$(PIP) --no-deps --no-build-isolation --target build/asan-site . \
		-C build-dir=build/asan-module -C cmake.define.WEFT_SANITIZE=address,undefined
	$(SANITIZED) tests/unit/kernels/test_[a-n]*.py tests/unit/features/test_cached.py & first=$$!; \
		$(SANITIZED) tests/unit/kernels/test_[o-z]*.py tests/unit/features/test_policies.py tests/unit/test_weft.py; \
		second=$$?; wait $$first && exit $$second
	touch $@

bench: .venv/.test ## every benchmark, ours and the peer in turn
	$(BIN)/python -m benchmarks run all

docs: .venv/.docs ## build/docs/index.html
	$(BIN)/sphinx-build -W -q -b html docs build/docs

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "weft needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'

.venv/.build: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) 'scikit-build-core>=0.11' 'nanobind>=2.4' ninja cmake
	touch $@

# --no-build-isolation keeps build/ warm: after a change, ninja compiles the changed files alone.
.venv/.core: .venv/.build $(NATIVE)
	$(PIP) --no-build-isolation -e '.[eval]'
	touch $@

.venv/.test: .venv/.core
	$(PIP) --group lint --group test
	$(PIP) torch triton torch-geometric
	touch $@

.venv/.docs: .venv/.core
	$(PIP) --group docs
	touch $@

clean:
	rm -rf build .venv weft-demo docs/_build
