locals {
  # A number for each port name of each node. Built with for, so that two that
  # have the same key are an error, not one port.
  ports = {
    for port in flatten([
      for group, g in var.groups : [
        for index in range(g.count) : [
          for name in g.ports : { group = group, index = index, name = name }
        ]
      ]
    ]) : "${port.group}-${port.index}-${port.name}" => port
  }

  tags = {
    "dec:install"    = var.run.install
    "dec:run"        = var.run.id
    "dec:expires-at" = var.run.expires_at
  }
}

resource "dec_port" "port" {
  for_each = local.ports

  name = "${var.run.id}-${each.key}"
  tags = merge(local.tags, { "dec:address" = "module.nodes.dec_port.port[\"${each.key}\"]" })
}

resource "dec_process" "service" {
  for_each = var.services

  name        = "${var.run.id}-${each.key}"
  command     = each.value.command
  environment = each.value.environment
  files       = each.value.files
  files_wo    = lookup(var.secrets, each.key, null)
  artifacts   = each.value.artifacts

  ready_log     = each.value.readiness.log
  ready_port    = each.value.readiness.port == "" ? 0 : dec_port.port["${each.value.group}-${each.value.index}-${each.value.readiness.port}"].number
  ready_timeout = each.value.readiness.timeout

  lifetime    = each.value.lifetime
  stop_signal = each.value.stop_signal
  grace       = each.value.grace
  memory      = each.value.memory
  cpus        = lookup(var.run.cpus, var.groups[each.value.group].role, [])

  logs = var.run.logs == "" ? "" : "${var.run.logs}/${each.key}"
  tags = merge(local.tags, { "dec:address" = "module.nodes.dec_process.service[\"${each.key}\"]" })
}
