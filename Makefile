# SPDX-License-Identifier: Apache-2.0
# The short names of what meson and tools/ do. HACKING.md says more.
#
#   make              the programs and man pages, in build/
#   make run          installs missing packages, builds and starts the relay: ARGS="--help"
#   make test         everything that can be tested; the last line counts
#   make test-vm      what depends on the kernel, on Debian 12's in an emulated machine; minutes
#   make check        the rules of the house (tools/rooms.py) alone
#   make format       every C file as clang-format has it
#   make fuzz         each fuzz target for FUZZ_SECONDS
#   make prove        Frama-C shows the readers of stun free of runtime errors; takes minutes
#   make bench        measures the relay beside others, in 25 minutes; QUICK=1: in five
#   make install      DESTDIR and prefix are honoured
#   make clean        removes the build folders
FUZZ_SECONDS ?= 600

.DEFAULT_GOAL := build
.PHONY: build run test test-vm check format fuzz prove bench install clean

build/build.ninja:
	@command -v meson >/dev/null || { tools/install-packages run && command -v meson >/dev/null; }
	meson setup build -Dtests=false $(if $(prefix),-Dprefix=$(prefix))

build: build/build.ninja
	ninja -C build

run:
	@tools/install-packages run
	@$(MAKE) --no-print-directory --silent build
	@exec build/fairlead-relay $(ARGS)

test:
	@tools/install-packages test
	@tools/run-tests

test-vm:
	@tools/install-packages vm
	@tools/run-tests build-test:vm

check: build
	tools/rooms.py build

format:
	tools/format

fuzz:
	@tools/install-packages test
	tools/run-fuzz $(FUZZ_SECONDS)

prove:
	@tools/install-packages prove
	@tools/prove

bench:
	@tools/install-packages bench
	@$(MAKE) --no-print-directory --silent build
	@bench/run

install: build/build.ninja
	$(if $(prefix),meson configure build -Dprefix=$(prefix))
	meson install -C build

clean:
	rm -rf build build-test build-clang build-tsan
