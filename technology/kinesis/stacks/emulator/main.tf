# An emulator of Amazon Kinesis, with or without the limits of its shards in front.

locals {
  artifacts = jsondecode(file("${path.module}/stack.json")).artifacts
  groups = merge(
    { emulator = { count = 1, ports = ["http"] } },
    var.shard_limits ? { limits = { count = 1, ports = ["http"] } } : {},
  )
  at = { for group in ["emulator", "limits"] : group => (
    length(lookup(var.addresses, group, [])) == 0 ? { host = "", port = 0 }
    : { host = var.addresses[group][0].host, port = var.addresses[group][0].ports.http }
  ) }

  emulator = {
    group   = "emulator"
    index   = 0
    command = ["./node/bin/node", "${var.engine}/start.js"]
    environment = {
      PORT = tostring(local.at.emulator.port)
      # Of all streams together. Shards cost an emulator nearly nothing.
      SHARD_LIMIT = "10000"
    }
    files     = {}
    artifacts = { for link in ["node", var.engine] : link => local.artifacts[link] }
    readiness = { log = "listens on", port = "http", timeout = 60 }
    grace     = 2
  }

  limits = {
    group       = "limits"
    index       = 0
    command     = ["./dec-agent/dec-agent", "kinesis-limits"]
    environment = {}
    files = { "kinesis-limits.json" = jsonencode({
      listen   = "${local.at.limits.host}:${local.at.limits.port}"
      upstream = "http://${local.at.emulator.host}:${local.at.emulator.port}"
    }) }
    artifacts = { "dec-agent" = var.agent }
    readiness = { log = "listens on", port = "http", timeout = 60 }
    grace     = 2
  }

  entrance = local.at[var.shard_limits ? "limits" : "emulator"]
}

output "groups" {
  value = local.groups
}

output "services" {
  value = merge({ emulator = local.emulator }, var.shard_limits ? { limits = local.limits } : {})
}

output "endpoints" {
  value = {
    region    = "us-east-1"
    endpoint  = "http://${local.entrance.host}:${local.entrance.port}"
    stream    = ""
    consumers = var.consumers
    emulator  = replace(local.artifacts[var.engine], "@", " ")
    limits    = var.shard_limits
    capacity  = "provisioned"
  }
}
