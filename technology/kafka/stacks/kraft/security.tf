# Encryption and authentication.

locals {
  wire  = var.encryption ? "SSL" : "PLAINTEXT"
  scram = "org.apache.kafka.common.security.scram.ScramLoginModule"

  # Nothing at a destroy, which is given no secrets.
  proof = try("${var.tls.key}${var.tls.certificate}", "")

  # The certificate carries the name of the run and not the brokers' addresses,
  # which are not known when it is made. Clients of DEC ask for that name.
  # Brokers can't: Kafka compares with the address that it calls, or nothing, so
  # they check only that the run's own authority signed. It signs nothing else.
  # Controllers ask for the certificate of whoever calls: SCRAM is not for them,
  # because its users stand in the log that they must agree on first.
  encrypted = var.encryption ? {
    "ssl.keystore.type"                        = "PEM"
    "ssl.keystore.location"                    = "broker.pem"
    "ssl.truststore.type"                      = "PEM"
    "ssl.truststore.location"                  = "ca.pem"
    "ssl.endpoint.identification.algorithm"    = ""
    "listener.name.controller.ssl.client.auth" = "required"
  } : {}

  authenticated = var.password == null ? {} : {
    "listener.security.protocol.map"                      = "CLIENT:SASL_${local.wire},CONTROLLER:${local.wire}"
    "sasl.enabled.mechanisms"                             = "SCRAM-SHA-512"
    "sasl.mechanism.inter.broker.protocol"                = "SCRAM-SHA-512"
    "listener.name.client.scram-sha-512.sasl.jaas.config" = "${local.scram} required username=\"dec\" password=\"${var.password}\";"
  }
}

# Take the place of the files of those names among the services': those must not
# depend on a secret, not even on whether there is one.
output "secrets" {
  ephemeral = true
  value = var.password == null && !var.encryption ? {} : { for i in range(var.brokers) : "broker-${i}" => merge(
    var.encryption ? { "broker.pem" = local.proof } : {},
    var.password == null ? {} : {
      "server.properties" = join("", [for key, value in merge(local.common, local.own[i], local.authenticated) : "${key}=${value}\n"])
      # One argument a line, read by the formatter itself: none is on a command line.
      "format.args" = <<-EOT
        format
        --config
        server.properties
        --cluster-id
        ${local.cluster}
        --add-scram
        SCRAM-SHA-512=[name=dec,password=${var.password}]
      EOT
    },
  ) }
}
