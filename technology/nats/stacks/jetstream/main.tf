# NATS with JetStream, alone or as a cluster.

locals {
  nodes = lookup(var.addresses, "server", [])
  host  = [for i in range(var.servers) : i < length(local.nodes) ? local.nodes[i].host : ""]
  port = [for i in range(var.servers) : {
    client  = i < length(local.nodes) ? local.nodes[i].ports.client : 0
    cluster = i < length(local.nodes) ? local.nodes[i].ports.cluster : 0
    monitor = i < length(local.nodes) ? local.nodes[i].ports.monitor : 0
  }]
  routes = join(", ", [for i in range(var.servers) : "\"nats://${local.host[i]}:${local.port[i].cluster}\""])

  config = [for i in range(var.servers) : join("", [
    <<-EOT
      include "password.conf"
      server_name: "server-${i}"
      listen: "${local.host[i]}:${local.port[i].client}"
      http: "${local.host[i]}:${local.port[i].monitor}"
      jetstream {
        store_dir: "data"
        sync_interval: "${var.sync_interval}"
        max_buffered_msgs: ${var.max_buffered_msgs}
      }
    EOT
    , var.servers == 1 ? "" : <<-EOT
      cluster {
        name: "dec"
        listen: "${local.host[i]}:${local.port[i].cluster}"
        routes: [${local.routes}]
      }
    EOT
  ])]
}

output "groups" {
  value = { server = { count = var.servers, ports = ["client", "cluster", "monitor"] } }
}

output "services" {
  value = { for i in range(var.servers) : "server-${i}" => {
    group     = "server"
    index     = i
    command   = ["./nats-server/nats-server", "-c", "nats.conf"]
    files     = { "nats.conf" = local.config[i], "password.conf" = "# clients give no password\n" }
    artifacts = jsondecode(file("${path.module}/stack.json")).artifacts
    readiness = { log = "Server is ready", port = "client", timeout = 60 }
    grace     = 5
  } }
}

# Takes the place of the file of that name among the services': those must not
# depend on a secret, not even on whether there is one.
output "secrets" {
  ephemeral = true
  value = var.password == null ? {} : { for i in range(var.servers) : "server-${i}" => {
    "password.conf" = "authorization { user: \"dec\", password: \"${var.password}\" }\n"
  } }
}

output "endpoints" {
  value = {
    servers = [for i in range(var.servers) : "nats://${local.host[i]}:${local.port[i].client}"]
    # The fsync policy is not told over NATS, only by the monitoring port.
    monitors = [for i in range(var.servers) : "http://${local.host[i]}:${local.port[i].monitor}"]
    storage  = var.storage
  }
}
