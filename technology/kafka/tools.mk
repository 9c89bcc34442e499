# Apache Kafka, from Maven. tools/pom.xml pins it.

kafka_version := $(shell sed -n '/kafka_2.13/{n;s/.*<version>\(.*\)<.*/\1/p}' technology/kafka/tools/pom.xml)
kafka := $(artifacts)/kafka/$(kafka_version)/bootstrap.checkpoint

tools-kafka: $(kafka) $(java)

$(kafka): $(wildcard technology/kafka/tools/*)
	@echo "fetching Apache Kafka $(kafka_version)"
	@technology/kafka/tools/install $(artifacts)
