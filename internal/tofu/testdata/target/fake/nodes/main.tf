variable "run" {
  type = object({ id = string, install = string, expires_at = string, logs = string, cpus = map(list(number)) })
}

variable "groups" {
  type = map(object({ count = number, ports = optional(list(string), []), role = optional(string, "broker") }))
}

variable "services" {
  type = map(object({
    group       = string
    index       = number
    command     = list(string)
    environment = optional(map(string), {})
    readiness   = optional(object({ log = optional(string), timeout = optional(number) }))
  }))
}

# A service is "running" from its create until its command has ended; what it
# did is a line in the folder of logs.
resource "terraform_data" "service" {
  for_each = var.services
  input    = { name = each.key, logs = var.run.logs }

  provisioner "local-exec" {
    command     = join(" ", each.value.command)
    environment = each.value.environment
  }

  provisioner "local-exec" {
    when    = destroy
    command = "echo ${self.input.name} >>'${self.input.logs}/destroyed'"
  }
}

output "addresses" {
  value = {
    for name, group in var.groups : name => [
      for i in range(group.count) : { host = "127.0.0.1", ports = { for j, port in group.ports : port => 20000 + 10 * i + j } }
    ]
  }
}

output "network" {
  value = {}
}
