locals {
  nodes = {
    for node in flatten([
      for group, g in var.groups : [for index in range(g.count) : { group = group, index = index, ports = g.ports }]
    ]) : "${node.group}-${node.index}" => node
  }

  tags = {
    "dec:install"    = var.run.install
    "dec:run"        = var.run.id
    "dec:expires-at" = var.run.expires_at
  }
}

resource "fakecloud_network" "network" {
  name = "${var.run.id}-network"
  tags = merge(local.tags, { "dec:address" = "module.nodes.fakecloud_network.network" })
}

resource "fakecloud_address" "node" {
  for_each = local.nodes

  name       = "${var.run.id}-${each.key}"
  network_id = fakecloud_network.network.id
  ports      = each.value.ports
  tags       = merge(local.tags, { "dec:address" = "module.nodes.fakecloud_address.node[\"${each.key}\"]" })
}

resource "fakecloud_instance" "service" {
  for_each = var.services

  name       = "${var.run.id}-${each.key}"
  address_id = fakecloud_address.node["${each.value.group}-${each.value.index}"].id
  user_data = jsonencode(merge(each.value, {
    logs       = var.run.logs == "" ? "" : "${var.run.logs}/${each.key}"
    expires_at = var.run.expires_at
  }))
  secrets_wo = lookup(var.secrets, each.key, null)
  tags       = merge(local.tags, { "dec:address" = "module.nodes.fakecloud_instance.service[\"${each.key}\"]" })
}
