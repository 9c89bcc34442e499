# Two commands do everything on a fresh clone: `make demo` and `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

tools       := .tools
tofu        := $(tools)/bin/tofu
staticcheck := $(tools)/bin/staticcheck
python      := $(tools)/python/installed
ui          := ui/dist/index.html

# How everything is compiled but the tests under the race detector: in one way, so
# that no package is compiled twice.
plain := CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath"

# What the technologies' stacks run lies in artifacts, as <name>/<version>. A
# technology whose stacks need something has a tools.mk in its folder, with a
# target tools-<technology> that makes it. Any of them may ask for a runtime.
artifacts    := $(tools)/artifacts
java         := $(artifacts)/java/17
node         := $(artifacts)/node/20
technologies := $(patsubst technology/%/tools.mk,%,$(wildcard technology/*/tools.mk))

.PHONY: help setup tools $(technologies:%=tools-%) prerequisites build demo serve lint test test-e2e test-racing test-quiet test-ui \
	test-tools test-long kill-matrix fuzz-api validate bench peers docs release clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: setup ## Compare Apache Kafka with NATS JetStream on this machine (about 8 minutes)
	bin/dec run examples/kafka-vs-nats.yaml --report reports/kafka-vs-nats.html

serve: setup ## Start the server on 127.0.0.1:8080
	bin/dec serve

setup: tools build ## Install the pinned tools and build; quick the second time

tools: prerequisites $(tofu) $(technologies:%=tools-%) ## Install OpenTofu and everything that the stacks run into .tools

include $(technologies:%=technology/%/tools.mk)

build: $(ui)
	@mkdir -p bin
	@$(plain) go build -ldflags '-s -w' -o bin/ ./cmd/...

# Five parts side by side; each shows its output when it has ended.
test: ## Run every test, with the race detector where things run at once
	@$(MAKE) --no-print-directory --jobs=5 --keep-going --output-sync test-e2e test-racing test-quiet test-ui lint

# Real experiments, which mostly wait: three at a time. The race detector would see
# none of the processes that they start.
test-e2e: setup test-tools
	$(plain) go test -ldflags '-s -w' -timeout 30m -parallel 3 $(TESTFLAGS) ./e2e -programs $(CURDIR)/bin

test-racing test-quiet: setup test-tools
	@tools/test-packages $(@:test-%=%) $(TESTFLAGS)

test-ui: $(ui) $(tools)/chromium/node_modules/.package-lock.json
	cd ui && nice npm run --silent test && nice npm run --silent test:structure && nice npm run --silent test:pages

# What only tests need: the API's fuzzer, linters, a Postgres, a Chromium.
test-tools: $(python) $(foreach t,lint postgres chromium,$(tools)/$(t)/node_modules/.package-lock.json)
	@tools/prerequisites test

test-long: $(if $(PART),setup test-tools) ## Run a long check: PART=kills; without PART list them
	@tools/test-long $(PART)

fuzz-api kill-matrix: setup test-tools
	@tools/test-long $(@:kill-matrix=kills)

lint: prerequisites $(staticcheck) $(ui) ## gofmt, go vet, staticcheck, Biome
	@out=$$(gofmt -l cmd internal technology target bench deploy e2e ui/*.go); [ -z "$$out" ] || { echo "not gofmt-ed: $$out"; exit 1; }
	@$(plain) nice go vet ./...
	@$(plain) nice $(staticcheck) ./...
	@cd ui && npm run --silent lint
	@$(plain) go run ./internal/httpapi/internal/openapi | \
		(cd ui && node_modules/.bin/openapi-typescript --alphabetize=false 2>/dev/null) | \
		cmp -s - ui/src/api/schema.d.ts || \
		{ echo "ui/src/api/schema.d.ts is stale: cd ui && npm run types"; exit 1; }

validate: $(tofu) ## Validate the AWS stacks with OpenTofu; needs DEC_PROVIDER_MIRROR=DIR with the provider
	@DEC_PROVIDER_MIRROR="$(DEC_PROVIDER_MIRROR)" tools/validate

bench: setup ## Measure what bench/README.md states; takes about 40 minutes
	bench/run

peers: setup ## Measure other load generators beside DEC's agents; takes about 100 minutes; OMB=DIR adds one more
	go run ./bench/peers $(if $(OMB),-omb $(OMB))

docs: ## Generate the reference docs of commands and options, and the lists of plug-ins
	go generate ./...

# The page is always built anew: it goes into the programs.
release: prerequisites ui/node_modules/.package-lock.json ## Make the archives of a release: VERSION=v1.2.3
	@cd ui && npm run --silent build
	@go run ./deploy/release $(VERSION)

clean: ## Remove what was built and installed here; results of experiments stay
	rm -rf bin dist .long $(tools) reports ui/node_modules ui/dist/*

prerequisites:
	@tools/prerequisites

$(tofu): tools/go.mod tools/go.sum
	@tools/build $@ github.com/opentofu/opentofu/cmd/tofu

$(staticcheck): tools/go.mod tools/go.sum
	@tools/build $@ honnef.co/go/tools/cmd/staticcheck

$(python): tools/python/requirements.txt
	@tools/prerequisites test
	@python3 -m venv --clear $(tools)/python
	@$(tools)/python/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@ # the interpreter is a link to an older file

# Tools from npm, each in a folder of its own.
$(tools)/%/node_modules/.package-lock.json: tools/%/package.json tools/%/package-lock.json tools/%/.npmrc
	@mkdir -p $(tools)/$*
	@cp $^ $(tools)/$*/
	@cd $(tools)/$* && npm ci --silent
	@touch $@

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	@cd ui && npm ci --silent
	@touch $@

$(ui): ui/node_modules/.package-lock.json $(shell find ui/src ui/public ui/*.html ui/*.ts ui/*.json -type f 2>/dev/null)
	@cd ui && npm run --silent build

# Any JDK of 17 or newer serves; the link is where stacks look for it.
$(java): | prerequisites
	@mkdir -p $(@D)
	@ln -sfn "$$(tools/prerequisites java-home)" $@

# Any Node.js of 20 or newer serves.
$(node): | prerequisites
	@mkdir -p $(@D)
	@ln -sfn "$$(tools/prerequisites node-home)" $@
