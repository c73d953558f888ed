# The face of every task. `make` alone explains itself.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast soak check bless docs fuzz render run servers chart image publish reproduce bench-ledger bench-peers bench-scale krew ci

# One build at a time is enough for two cores; the servers come from a cache outside the checkout.
SERVERS = AGENTSLO_SERVERS="$$(tools/servers ensure $(1))"
CARGO ?= cargo
EXAMPLE ?= success
SIZES ?= 1000 10000 50000
# What benchmarks measure. What ships is static: make bench-scale TARGET=x86_64-unknown-linux-musl
TARGET ?=
BUILD_RELEASED = $(CARGO) build --locked --release --no-default-features --bin agentslo $(if $(TARGET),--target $(TARGET))
RELEASED = target/$(if $(TARGET),$(TARGET)/)release/agentslo
# What the image is built for.
STATIC = $(shell uname -m)-unknown-linux-musl
# The servers of the tests are many and each is small: they may rather take memory than time.
GOGC = 400
# Storms of a soak.
SEEDS ?= 10000
# How long sink and database of a ledger die at random.
SECONDS_OF_LEDGER ?= 120
# Events of each measurement of the ledger.
EVENTS ?= 200000
# Where the image goes, and under which version.
IMAGE ?= agentslo
VERSION ?= $(shell sed -n 's/^appVersion: //p' charts/agentslo/Chart.yaml)
# Cargo features of the program in the image: make image FEATURES=ledger IMAGE=agentslo-ledger
FEATURES ?=
BUILDX = docker buildx build --build-arg FEATURES=$(FEATURES) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) --tag $(IMAGE):$(VERSION)

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## The main job on real servers: an agent, its budget, an outage, the page
	@$(call SERVERS,etcd kubernetes prometheus alertmanager prometheus-operator collector) && export AGENTSLO_SERVERS && \
	$(CARGO) build --locked --bins --examples && target/debug/examples/demo

test: ## Every test, on real servers; builds them on first use
	@$(call SERVERS,test) && export AGENTSLO_SERVERS && \
	GOGC=$(GOGC) RUST_TEST_THREADS=6 $(CARGO) test --locked --workspace --lib --bins --tests

test-fast: ## The hermetic tests only, under a minute
	$(CARGO) test --locked --lib --bins --test it

soak: ## Random faults for longer: make soak SEEDS=10000 SECONDS_OF_LEDGER=120
	SOAK=$(SEEDS) $(CARGO) test --locked --profile soak --test it -- storm differential
	@$(call SERVERS,test) && export AGENTSLO_SERVERS && \
	LEDGER_SOAK_SECONDS=$(SECONDS_OF_LEDGER) $(CARGO) test --locked --test cluster -- --nocapture ledger::storm

check: ## Formatting, lints, and the dependency rules where cargo-deny is installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check; \
	else echo "deny.toml was not checked: cargo-deny is not installed"; fi

bless: ## Accept goldens and rewrite generated files, pictures too, then show the difference
	BLESS=1 INSTA_UPDATE=always $(CARGO) test --locked --test it -- generated golden the_present_version || true
	@if test -x "$$(tools/servers dir)/prometheus"; then \
	AGENTSLO_SERVERS="$$(tools/servers dir)" BLESS=1 $(CARGO) test --locked --test cluster -- pictures_are || true; \
	else echo "docs/pictures stay as they are: they need a Prometheus, which make servers builds"; fi
	@if test -x "$$(tools/servers dir)/helm"; then \
	AGENTSLO_SERVERS="$$(tools/servers dir)" BLESS=1 $(CARGO) test --locked --workspace --test cluster -- install::chart install::folders || true; \
	else echo "deploy/ stays as it is: it needs Helm, which make servers builds"; fi
	git --no-pager diff --stat

docs: ## Build and check the documentation as a site: target/book/index.html
	BOOK=target/book $(CARGO) test --locked --test it -- book::

fuzz: ## Random specs and input, FUZZ_TIMES as many as in a test run; what fails is kept in tests/it/fuzz/corpus
	@servers="$$(tools/servers dir)"; if test -x "$$servers/promtool"; then export AGENTSLO_SERVERS="$$servers"; \
	else echo "promtool reads none of the rules: make servers builds it"; fi; \
	FUZZ_TIMES=$${FUZZ_TIMES:-20} $(CARGO) test --locked --test it -- fuzz::

render: ## Print the rules of one example: make render EXAMPLE=success
	$(CARGO) run --quiet --locked -- render -f examples/$(EXAMPLE)

run: ## Run the controller against the current kubeconfig
	$(CARGO) run --locked -- run

servers: ## Find or build the real servers that tests and demo use
	@tools/servers ensure test

chart: ## Lint the chart, and hold it, its alerts and deploy/ to what is kept
	@$(call SERVERS,helm kubectl promtool) && export AGENTSLO_SERVERS && \
	$(CARGO) test --locked --workspace --test cluster -- install::chart install::folders install::alerts

image: ## Build the container image: make image IMAGE=registry.example/agentslo
	$(BUILDX) --load .

reproduce: TARGET = $(STATIC)
reproduce: ## Build the static program twice from nothing, and see that the bytes are the same
	@for build in first second; do rm -rf target/reproduce; \
	tools/reproducibly $(BUILD_RELEASED) --target-dir target/reproduce && \
	cp target/reproduce/$(STATIC)/release/agentslo target/agentslo-$$build || exit 1; done; \
	cmp target/agentslo-first target/agentslo-second && sha256sum target/agentslo-first && echo "Both builds are the same."

publish: ## Push image and chart with SBOM, provenance and signatures; what a release runs
	@$(call SERVERS,helm) && mkdir -p target/release-files && \
	$(BUILDX) --platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max --push \
	--metadata-file target/release-files/image.json . && \
	digest=$$(sed -n 's/.*"containerimage.digest": "\(sha256:[0-9a-f]*\)".*/\1/p' target/release-files/image.json) && \
	cosign sign --yes $(IMAGE)@$$digest && \
	tools/package $(IMAGE) $$digest $(VERSION) target/release-files "$$AGENTSLO_SERVERS/helm"

bench-peers: ## What rules cost a Prometheus, and their making, beside Sloth and Pyrra
	@$(call SERVERS,all) && export AGENTSLO_SERVERS && \
	$(BUILD_RELEASED) && AGENTSLO_PROGRAM=$(RELEASED) $(CARGO) bench --locked --profile dev --bench peers

bench-scale: ## Memory, time, writes and latencies with many AgentSLOs: make bench-scale SIZES=1000
	@$(call SERVERS,etcd kubernetes prometheus prometheus-operator) && export AGENTSLO_SERVERS && \
	$(BUILD_RELEASED) && AGENTSLO_PROGRAM=$(RELEASED) $(CARGO) bench --locked --profile soak --bench scale -- $(SIZES)

bench-ledger: ## Events the ledger commits and verifies in a second, beside rows without a chain: make bench-ledger EVENTS=200000
	@$(call SERVERS,postgres) && export AGENTSLO_SERVERS && \
	$(CARGO) bench --locked --profile soak --bench ledger -- $(EVENTS)

krew: ## Print the krew manifest of a release: make krew VERSION=v0.1.0 RELEASE_URL=... HOMEPAGE=... DIST=dist
	@: "$${VERSION:?}" "$${RELEASE_URL:?}" "$${HOMEPAGE:?}" "$${DIST:?}"; \
	manifest="$$(sed -e "s|@VERSION@|$$VERSION|" -e "s|@RELEASE_URL@|$$RELEASE_URL|" -e "s|@HOMEPAGE@|$$HOMEPAGE|" deploy/krew/agentslo.yaml | grep -v '^#')"; \
	for platform in linux-amd64 linux-arm64 darwin-arm64; do \
	archive="$$DIST/agentslo-$$platform.tar.gz"; test -f "$$archive" || { echo "$$archive is missing" >&2; exit 1; }; \
	sum="$$(if command -v sha256sum >/dev/null; then sha256sum "$$archive"; else shasum -a 256 "$$archive"; fi | cut -d ' ' -f 1)"; \
	manifest="$$(printf '%s\n' "$$manifest" | sed "s|@SHA256_$$platform@|$$sum|")"; done; \
	printf '%s\n' "$$manifest"

ci: check test ## What CI runs
