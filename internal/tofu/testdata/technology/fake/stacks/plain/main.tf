locals {
  extra = var.misspell ? { readines = { log = "up" } } : {}
}

output "groups" {
  value = { member = { count = var.members, ports = ["client"] } }
}

output "services" {
  value = {
    for i in range(var.members) : "member-${i}" => merge({
      group   = "member"
      index   = i
      command = i == 0 && var.hold != null ? ["exec", "cat", var.hold] : ["true"]
      readiness = merge({ log = "up" }, var.misspell ? { timout = 3 } : {})
    }, local.extra)
  }
}

output "endpoints" {
  value = {
    text      = var.text
    bootstrap = [for node in lookup(var.addresses, "member", []) : "${node.host}:${node.ports.client}"]
  }
}
