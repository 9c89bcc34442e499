# nats-server, built from its Go module. go.mod pins it, because the driver's tests
# link it too; its version is in its path, so that nothing else makes it stale.

nats_version := $(shell sed -n 's/^\tgithub.com\/nats-io\/nats-server\/v2 v\([0-9.]*\).*/\1/p' go.mod)
nats := $(artifacts)/nats-server/$(nats_version)/nats-server

tools-nats: $(nats)

$(nats):
	@echo "building nats-server $(nats_version)"
	@mkdir -p $(@D)
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $@ github.com/nats-io/nats-server/v2
