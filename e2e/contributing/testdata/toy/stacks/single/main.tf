# One broker, a program of dec-agent.

locals {
  nodes   = lookup(var.addresses, "broker", [])
  address = length(local.nodes) == 0 ? "" : "${local.nodes[0].host}:${local.nodes[0].ports.client}"
}

output "groups" {
  value = { broker = { count = 1, ports = ["client"] } }
}

output "services" {
  value = { broker = {
    group     = "broker"
    index     = 0
    command   = ["./toy/start"]
    files     = { "toy.json" = jsonencode({ listen = local.address, delay_ms = var.delay_ms }) }
    artifacts = merge(jsondecode(file("${path.module}/stack.json")).artifacts, { "dec-agent" = var.agent })
    readiness = { log = "listens on", port = "client", timeout = 60 }
    grace     = 2
  } }
}

output "endpoints" {
  value = { address = local.address }
}
