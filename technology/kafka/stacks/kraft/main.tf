# Apache Kafka in KRaft mode. security.tf has what encryption and the password
# add to it.

locals {
  nodes = lookup(var.addresses, "broker", [])
  host  = [for i in range(var.brokers) : i < length(local.nodes) ? local.nodes[i].host : ""]
  port = [for i in range(var.brokers) : {
    client     = i < length(local.nodes) ? local.nodes[i].ports.client : 0
    controller = i < length(local.nodes) ? local.nodes[i].ports.controller : 0
  }]
  # An even quorum survives no more failures than the odd one below it.
  controllers = var.brokers % 2 == 1 ? var.brokers : var.brokers - 1
  voters      = join(",", [for i in range(local.controllers) : "${i + 1}@${local.host[i]}:${local.port[i].controller}"])
  # Kafka's own topic of groups needs as many copies as there are brokers, three at
  # most: with Kafka's default of three, a group on a single broker reads nothing.
  copies = min(var.brokers, 3)

  common = merge(
    {
      "controller.listener.names"      = "CONTROLLER"
      "controller.quorum.voters"       = local.voters
      "inter.broker.listener.name"     = "CLIENT"
      "listener.security.protocol.map" = "CLIENT:${local.wire},CONTROLLER:${local.wire}"
      "log.dirs"                       = "data"

      "min.insync.replicas"              = var.min_insync_replicas
      "offsets.topic.replication.factor" = local.copies
      "num.network.threads"              = var.network_threads
      "num.io.threads"                   = var.io_threads
    },
    # By default old segments are looked for every five minutes and kept for
    # another minute: a fast run would fill the disk in between.
    try(var.topology.outgrows, false) ? {
      "log.retention.check.interval.ms" = 5000
      "log.segment.delete.delay.ms"     = 1000
      "log.initial.task.delay.ms"       = 5000
    } : {},
    var.flush_messages > 0 ? { "log.flush.interval.messages" = var.flush_messages } : {},
    # The flusher looks every log.flush.scheduler.interval.ms, which is never by default.
    var.flush_ms > 0 ? { "log.flush.interval.ms" = var.flush_ms, "log.flush.scheduler.interval.ms" = var.flush_ms } : {},
    local.encrypted,
  )

  # What differs from broker to broker.
  own = [for i in range(var.brokers) : merge(
    { "node.id" = i + 1 },
    i < local.controllers ? {
      "process.roles" = "broker,controller"
      "listeners"     = "CLIENT://${local.host[i]}:${local.port[i].client},CONTROLLER://${local.host[i]}:${local.port[i].controller}"
      } : {
      "process.roles" = "broker"
      "listeners"     = "CLIENT://${local.host[i]}:${local.port[i].client}"
    },
  )]

  # The flags of Kafka's own start script, and: a fixed heap, and nothing of the
  # JVM in /tmp, where a killed broker would leave it.
  jvm = <<-EOT
    -server
    -Xms${var.heap}
    -Xmx${var.heap}
    -XX:+UseG1GC
    -XX:MaxGCPauseMillis=20
    -XX:InitiatingHeapOccupancyPercent=35
    -XX:+ExplicitGCInvokesConcurrent
    -XX:+PerfDisableSharedMem
    -Djava.awt.headless=true
    -Djava.io.tmpdir=tmp
    -Dorg.slf4j.simpleLogger.showDateTime=true
    -Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX
    -Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn
    -cp "kafka/lib/*"
  EOT

  # Formatting the storage costs a JVM start of a second. The checkpoint of an
  # earlier format beside a meta.properties of one's own gives the same features.
  # Only the password must be there from the format on; what that prints has
  # hashes of it.
  start = <<-EOT
    set -e
    mkdir -p tmp
    if [ -s format.args ]; then
      ./java/bin/java @jvm.options kafka.tools.StorageTool @format.args >/dev/null
    else
      mkdir -p data/__cluster_metadata-0
      cp meta.properties data/meta.properties
      cp kafka/bootstrap.checkpoint data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint
    fi
    exec ./java/bin/java @jvm.options kafka.Kafka server.properties
  EOT

  cluster = "DECaaaaaaaaaaaaaaaaaaA"
  files = [for i in range(var.brokers) : merge(
    {
      "jvm.options"       = local.jvm
      "meta.properties"   = "version=1\ncluster.id=${local.cluster}\nnode.id=${i + 1}\n"
      "format.args"       = ""
      "server.properties" = join("", [for key, value in merge(local.common, local.own[i]) : "${key}=${value}\n"])
    },
    var.encryption ? { "ca.pem" = lookup(var.ca, "certificate", ""), "broker.pem" = "" } : {},
  )]
}

output "groups" {
  value = { broker = { count = var.brokers, ports = ["client", "controller"] } }
}

output "services" {
  value = { for i in range(var.brokers) : "broker-${i}" => {
    group     = "broker"
    index     = i
    command   = ["/bin/sh", "-c", local.start]
    files     = local.files[i]
    artifacts = jsondecode(file("${path.module}/stack.json")).artifacts
    readiness = { log = "Kafka Server started", port = "client", timeout = 120 }
    # A broker that has lost its quorum waits for it; its data is thrown away anyway.
    grace = 3
  } }
}

output "endpoints" {
  value = {
    bootstrap      = [for i in range(var.brokers) : "${local.host[i]}:${local.port[i].client}"]
    tls            = var.encryption ? { ca = lookup(var.ca, "certificate", ""), server_name = lookup(var.ca, "name", "") } : null
    replicas       = var.replicas
    producer_quota = var.producer_quota
    consumer_quota = var.consumer_quota
  }
}
