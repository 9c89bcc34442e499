output "addresses" {
  description = "By group, the host and the ports by name of each node; known at plan."
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
  description = "Nothing: everything is on one machine."
  value       = {}
}
