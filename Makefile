# Two commands do everything on a fresh clone: `make demo` and `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# Versions are pinned in tools/go.mod and tools/kafka/pom.xml, and read from there.
kafka_version := $(shell sed -n '/kafka_2.13/{n;s/.*<version>\(.*\)<.*/\1/p}' tools/kafka/pom.xml)
nats_version  := $(shell sed -n 's/^\tgithub.com\/nats-io\/nats-server\/v2 v\([0-9.]*\).*/\1/p' tools/go.mod)

tools     := .tools
artifacts := $(tools)/artifacts
tofu      := $(tools)/bin/tofu
nats      := $(artifacts)/nats-server/$(nats_version)/nats-server
kafka     := $(artifacts)/kafka/$(kafka_version)
java      := $(artifacts)/java/17
staticcheck := $(tools)/bin/staticcheck

.PHONY: help setup demo test lint bench clean build prerequisites kill-matrix

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: setup ## Compare Apache Kafka with NATS JetStream on this machine (about 8 minutes)
	bin/dec run examples/kafka-vs-nats.yaml --report reports/kafka-vs-nats.html

setup: prerequisites $(tofu) $(nats) $(kafka)/bootstrap.checkpoint $(java) build ## Install the pinned tools and build; quick the second time

build:
	@mkdir -p bin
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ ./cmd/...

test: setup lint ## Run every test, with the race detector
	go test -race -timeout 20m $(TESTFLAGS) ./...

lint: prerequisites $(staticcheck) ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l cmd internal technology target bench e2e); [ -z "$$out" ] || { echo "not gofmt-ed: $$out"; exit 1; }
	@go vet ./...
	@$(staticcheck) ./...

bench: setup ## Measure what bench/README.md states; takes about 15 minutes
	bench/run

kill-matrix: setup ## Kill dec, supervisors, tofu and the provider in every phase (about 20 minutes)
	go test -count=1 -timeout 60m ./e2e -run TestKills -kills -v

clean: ## Remove what was built and installed here; results of experiments stay
	rm -rf bin $(tools) reports

prerequisites:
	@tools/prerequisites

$(tofu): tools/go.mod tools/go.sum
	@echo "building OpenTofu from its Go module: about 4 minutes, once"
	@mkdir -p $(@D)
	@cd tools && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ../$@ github.com/opentofu/opentofu/cmd/tofu

$(nats): tools/go.mod tools/go.sum
	@mkdir -p $(@D)
	@cd tools && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ../$@ github.com/nats-io/nats-server/v2

$(staticcheck): tools/go.mod tools/go.sum
	@mkdir -p $(@D)
	@cd tools && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ../$@ honnef.co/go/tools/cmd/staticcheck

# The checkpoint holds the feature levels that formatting a broker's storage
# gives it. Made once here, it spares every broker a second JVM at its start.
$(kafka)/bootstrap.checkpoint: tools/kafka/pom.xml tools/kafka/format.properties
	@echo "fetching Apache Kafka $(kafka_version)"
	@mkdir -p $(@D)
	@mvn -q -B -f tools/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/$(@D)/lib"
	@cd $(@D) && rm -rf .format && java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp 'lib/*' kafka.tools.StorageTool format -c "$(CURDIR)/tools/kafka/format.properties" -t AAAAAAAAAAAAAAAAAAAAAA >/dev/null
	@cd $(@D) && install -m 644 .format/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint bootstrap.checkpoint && rm -rf .format

# Any JDK of 17 or newer serves; the link is where stacks look for it.
$(java): | prerequisites
	@mkdir -p $(@D)
	@ln -sfn "$$(tools/prerequisites java-home)" $@
