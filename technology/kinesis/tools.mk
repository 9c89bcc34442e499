# Emulators of Kinesis, from npm. tools/package.json pins them.

kinesis_tools := technology/kinesis/tools
kinesis_version = $(shell sed -n 's/.*"$(1)": "\([0-9.]*\)".*/\1/p' $(kinesis_tools)/package.json)
kinesis := $(foreach e,kinesalite kinesis-local,$(artifacts)/$(e)/$(call kinesis_version,$(e))/start.js)

tools-kinesis: $(kinesis) $(node)

$(kinesis) &: $(wildcard $(kinesis_tools)/* $(kinesis_tools)/.npmrc)
	@echo "fetching the emulators of Kinesis"
	@$(kinesis_tools)/install $(artifacts)
