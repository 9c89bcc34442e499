variable "brokers" {
  type        = number
  default     = 1
  description = "Brokers of the cluster. All are controllers of the KRaft quorum too, but of 2 or 4 the last: an even quorum survives no more failures than the odd one below it."
  validation {
    condition     = contains([1, 2, 3, 4, 5], var.brokers)
    error_message = "brokers must be 1, 2, 3, 4 or 5."
  }
}

variable "replicas" {
  type        = number
  default     = 0
  description = "Copies of each partition, in place of the workload's topology.replicas, so that variants may differ in them. 0 is what the workload says."
  validation {
    condition     = var.replicas >= 0 && floor(var.replicas) == var.replicas
    error_message = "replicas must be a whole number of at least 0 (what the workload says)."
  }
  validation {
    condition     = var.replicas <= var.brokers
    error_message = "replicas must not be more than brokers: each copy is on a broker of its own."
  }
}

variable "heap" {
  type        = string
  default     = "512m"
  description = "Java heap of each broker, fixed from the start: a number with m or g."
  validation {
    condition     = can(regex("^([1-9][0-9]{2,4}m|[1-9][0-9]?g)$", var.heap))
    error_message = "heap must be a whole number of mebibytes or gibibytes from 100m to 99g, such as 512m or 4g."
  }
}

variable "flush_messages" {
  type        = number
  default     = 0
  description = "Messages of a partition between two fsyncs. 1 acknowledges only what is on disk; 0 is Kafka's default, which leaves it to the page cache."
  validation {
    condition     = var.flush_messages >= 0 && var.flush_messages <= 1000000000 && floor(var.flush_messages) == var.flush_messages
    error_message = "flush_messages must be a whole number from 0 (Kafka's default) to 1000000000."
  }
}

variable "flush_ms" {
  type        = number
  default     = 0
  description = "Milliseconds that a message stays unflushed at most. 0 is Kafka's default, which leaves it to the page cache."
  validation {
    condition     = var.flush_ms >= 0 && var.flush_ms <= 3600000 && floor(var.flush_ms) == var.flush_ms
    error_message = "flush_ms must be a whole number from 0 (Kafka's default) to 3600000."
  }
}

variable "min_insync_replicas" {
  type        = number
  default     = 1
  description = "Copies that must exist before a message is acknowledged to a producer that asks for all."
  validation {
    condition     = var.min_insync_replicas >= 1 && floor(var.min_insync_replicas) == var.min_insync_replicas
    error_message = "min_insync_replicas must be a whole number of at least 1."
  }
  validation {
    condition     = var.min_insync_replicas <= var.brokers
    error_message = "min_insync_replicas must not be more than brokers."
  }
}

variable "network_threads" {
  type        = number
  default     = 3
  description = "Threads of each broker that read requests and write answers (num.network.threads)."
  validation {
    condition     = var.network_threads >= 1 && var.network_threads <= 256 && floor(var.network_threads) == var.network_threads
    error_message = "network_threads must be a whole number from 1 to 256."
  }
}

variable "io_threads" {
  type        = number
  default     = 8
  description = "Threads of each broker that work on requests, disk included (num.io.threads)."
  validation {
    condition     = var.io_threads >= 1 && var.io_threads <= 256 && floor(var.io_threads) == var.io_threads
    error_message = "io_threads must be a whole number from 1 to 256."
  }
}

variable "producer_quota" {
  type        = number
  default     = 0
  description = "Bytes a second that each broker takes from all producers together, before it makes them wait (producer_byte_rate). 0 is no limit."
  validation {
    condition     = var.producer_quota >= 0 && var.producer_quota <= 1000000000000 && floor(var.producer_quota) == var.producer_quota
    error_message = "producer_quota must be a whole number of bytes a second from 0 (no limit) to 1000000000000."
  }
}

variable "consumer_quota" {
  type        = number
  default     = 0
  description = "Bytes a second that each broker gives to all consumers together, before it makes them wait (consumer_byte_rate). 0 is no limit."
  validation {
    condition     = var.consumer_quota >= 0 && var.consumer_quota <= 1000000000000 && floor(var.consumer_quota) == var.consumer_quota
    error_message = "consumer_quota must be a whole number of bytes a second from 0 (no limit) to 1000000000000."
  }
}

variable "encryption" {
  type        = bool
  default     = false
  description = "TLS from clients to brokers and among brokers and controllers, with a certificate that is made for the run."
}

variable "password" {
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "What clients, and brokers among each other, must prove to know, with SCRAM-SHA-512; nothing if null. It is in the configuration of brokers and agents while they run, and nowhere else."
  validation {
    # What neither the properties, nor JAAS, nor Kafka's formatter reads as anything but itself.
    condition     = var.password == null || can(regex("^[!#-+\\--Z^-~]{8,128}$", var.password))
    error_message = "password must be 8 to 128 letters, digits or ASCII symbols other than \" \\ , [ and ]."
  }
}

# Given by DEC, no options.

variable "ca" {
  type        = any
  default     = {}
  description = "Authority that signed the certificate of the run, and the name on that."
}

variable "tls" {
  type        = any
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "Certificate and key of the run's services."
}

variable "addresses" {
  type        = any
  default     = {}
  description = "Host and ports of each node, by group."
}

variable "network" {
  type        = any
  default     = {}
  description = "Network of the target."
}
