# The ways to build, test and show pkg. `make` alone lists them.

CARGO ?= cargo

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: toolchain ## build the release binary, target/release/pkg
	$(CARGO) build --release --locked

demo: toolchain deps ## from a WAR to running Tomcats behind HAProxy, forth and back, while a client counts failures
	$(CARGO) build --release --locked
	tests/demo/demo

test: toolchain deps ## all tests, the lab of hosts included: what CI runs
	$(CARGO) fmt --all --check
	tests/lab/lab roots & roots=$$!; \
		$(CARGO) clippy --workspace --all-targets --locked -- -D warnings || { kill $$roots; exit 1; }; wait $$roots
	tests/lab/selftest
	$(CARGO) test --workspace --locked

unit: toolchain ## the fast tests: no servers, no root
	$(CARGO) test --workspace --lib --bins --locked

bench: toolchain deps ## side by side with peers: time and memory as ratios
	$(CARGO) build --release --locked
	bench/build

deps: ## install what the tests and the demo need (Debian, root), or say what is missing
	@tests/lab/lab check 2>/dev/null || { [ "$$(id -u)" = 0 ] && tests/lab/lab install; } || true
	@tests/lab/lab check

toolchain:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust 1.89 or newer (https://rustup.rs)" >&2; exit 2; }
	@command -v cc >/dev/null || { echo "cc is missing: install a C compiler (Debian: apt-get install gcc libc6-dev)" >&2; exit 2; }

.PHONY: help build demo test unit bench deps toolchain
