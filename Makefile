# SPDX-License-Identifier: Apache-2.0
# The short names of what meson and tools/ do. HACKING.md says more.
#
#   make              the programs and man pages, in build/
#   make run          installs missing packages, builds and starts the relay: ARGS="--help"
#   make demo         the same with a page where a browser calls itself through the relay
#   make test         everything that can be tested; the last line counts
#   make test-vm      what depends on the kernel, on Debian 12's in an emulated machine; minutes
#   make check        the rules of the house (tools/rooms.py) alone
#   make format       every C file as clang-format has it
#   make fuzz         each fuzz target for FUZZ_SECONDS
#   make prove        Frama-C shows the readers of stun free of runtime errors; takes minutes
#   make bench        measures the relay beside others, in 30 minutes; QUICK=1: in five
#   make scoreboard   asks the relay, coturn and pion what the RFCs want, and attacks them, into
#                     docs/conformance.md; SLOW=1: what waits, in an hour
#   make deb          the Debian packages, in build-deb/
#   make test-deb     the same, installed, upgraded and purged in a clean root
#   make install      DESTDIR, prefix and sysconfdir are honoured
#   make uninstall    removes what that has put there, but for the configuration
#   make clean        removes the build folders
FUZZ_SECONDS ?= 600
PLACES = $(foreach place,prefix sysconfdir,$(if $($(place)),-D$(place)=$($(place))))

.DEFAULT_GOAL := build
.PHONY: build run demo test test-vm check format fuzz prove bench scoreboard deb test-deb install uninstall clean

build/build.ninja:
	@command -v meson >/dev/null || { tools/install-packages run && command -v meson >/dev/null; }
	meson setup build -Dtests=false $(PLACES)

build: build/build.ninja
	ninja -C build

run:
	@tools/install-packages run
	@$(MAKE) --no-print-directory --silent build
	@exec build/fairlead-relay $(ARGS)

demo:
	@tools/install-packages run
	@$(MAKE) --no-print-directory --silent build
	@echo "Open http://localhost:8088/ in a browser on this machine."
	@exec build/fairlead-relay --demo-addr 127.0.0.1:8088 $(ARGS)

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

scoreboard:
	@tools/install-packages bench
	@$(MAKE) --no-print-directory --silent build
	@tools/scoreboard build/fairlead-relay build/fairlead-probe $(if $(SLOW),--slow)

deb:
	@tools/install-packages deb
	@tools/build-deb

test-deb: deb
	@tests/packaging/deb_test build-deb

install: build/build.ninja
	$(if $(PLACES),meson configure build $(PLACES))
	meson install -C build

uninstall:
	ninja -C build uninstall

clean:
	rm -rf build build-test build-clang build-tsan build-memory build-deb
