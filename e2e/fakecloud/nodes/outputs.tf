output "addresses" {
  description = "By group, the host and the ports by name of each node; known after apply."
  value = {
    for group, g in var.groups : group => [
      for index in range(g.count) : {
        host  = fakecloud_address.node["${group}-${index}"].host
        ports = { for name in g.ports : name => fakecloud_address.node["${group}-${index}"].numbers[name] }
      }
    ]
  }
}

output "network" {
  description = "Nothing: no stack needs to know of it."
  value       = {}
}
