output "addresses" {
  description = "Host and named ports of each node, by group; known at plan time."
  value = {
    for group, g in var.groups : group => [
      for index in range(g.count) : {
        host  = "127.0.0.1"
        ports = { for name in g.ports : name => dec_port.port["${group}-${index}-${name}"].number }
      }
    ]
  }
}

output "network" {
  description = "Empty: everything is on one machine."
  value       = {}
}
