# A stack without a technology: nodes that tell their name at each of two ports.
# __PROVIDERS__

variable "nodes" {
  type = number
}

variable "run" {
  type = any
}

locals {
  services = {
    for i in range(var.nodes) : "node-${i}" => {
      group = "node"
      index = i
      command = concat(
        ["./probe/probe", "node-${i}", module.nodes.addresses["node"][i].host],
        [for port in values(module.nodes.addresses["node"][i].ports) : tostring(port)],
      )
      artifacts = { probe = "probe@1" }
      readiness = { port = "client" }
    }
  }
}

module "nodes" {
  source = "./nodes"

  run      = var.run
  groups   = { node = { count = var.nodes, ports = ["client", "peers"] } }
  services = local.services
}

output "addresses" {
  value = module.nodes.addresses
}
