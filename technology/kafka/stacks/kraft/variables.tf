variable "brokers" {
  type        = number
  default     = 1
  description = "Number of brokers, all KRaft controllers but the last of 2 or 4: an even quorum survives no more failures than the odd one below it."
  validation {
    condition     = contains([1, 2, 3, 4, 5], var.brokers)
    error_message = "brokers must be 1, 2, 3, 4 or 5."
  }
}

variable "replicas" {
  type        = number
  default     = 0
  description = "Number of copies of each partition. Overrides the workload's topology.replicas, so that variants can differ; 0 does not override it."
  validation {
    condition     = var.replicas >= 0 && floor(var.replicas) == var.replicas
    error_message = "replicas must be a whole number, at least 0 (0 does not override the workload)."
  }
  validation {
    condition     = var.replicas <= var.brokers
    error_message = "replicas must not exceed brokers: each copy is on a different broker."
  }
}

variable "heap" {
  type        = string
  default     = "512m"
  description = "Java heap of each broker, of fixed size: a number with m or g."
  validation {
    condition     = can(regex("^([1-9][0-9]{2,4}m|[1-9][0-9]?g)$", var.heap))
    error_message = "heap must be a whole number of mebibytes (m) or gibibytes (g), from 100m to 99g, such as 512m or 4g."
  }
}

variable "flush_messages" {
  type        = number
  default     = 0
  description = "Messages per partition between two fsyncs: 1 acknowledges only messages on disk; 0, Kafka's default, leaves flushing to the OS."
  validation {
    condition     = var.flush_messages >= 0 && var.flush_messages <= 1000000000 && floor(var.flush_messages) == var.flush_messages
    error_message = "flush_messages must be a whole number from 0 (Kafka's default) to 1000000000."
  }
}

variable "flush_ms" {
  type        = number
  default     = 0
  description = "Maximum time before a message is flushed to disk, in milliseconds. 0, Kafka's default, leaves flushing to the operating system."
  validation {
    condition     = var.flush_ms >= 0 && var.flush_ms <= 3600000 && floor(var.flush_ms) == var.flush_ms
    error_message = "flush_ms must be a whole number from 0 (Kafka's default) to 3600000."
  }
}

variable "min_insync_replicas" {
  type        = number
  default     = 1
  description = "Number of in-sync copies required before a message is acknowledged with acks: all."
  validation {
    condition     = var.min_insync_replicas >= 1 && floor(var.min_insync_replicas) == var.min_insync_replicas
    error_message = "min_insync_replicas must be a whole number, at least 1."
  }
  validation {
    condition     = var.min_insync_replicas <= var.brokers
    error_message = "min_insync_replicas must not exceed brokers."
  }
}

variable "network_threads" {
  type        = number
  default     = 3
  description = "Number of threads per broker that read requests and write responses (num.network.threads)."
  validation {
    condition     = var.network_threads >= 1 && var.network_threads <= 256 && floor(var.network_threads) == var.network_threads
    error_message = "network_threads must be a whole number from 1 to 256."
  }
}

variable "io_threads" {
  type        = number
  default     = 8
  description = "Number of threads per broker that process requests, including disk I/O (num.io.threads)."
  validation {
    condition     = var.io_threads >= 1 && var.io_threads <= 256 && floor(var.io_threads) == var.io_threads
    error_message = "io_threads must be a whole number from 1 to 256."
  }
}

variable "producer_quota" {
  type        = number
  default     = 0
  description = "Bytes per second each broker accepts from all producers together before it throttles them (producer_byte_rate). 0 means no limit."
  validation {
    condition     = var.producer_quota >= 0 && var.producer_quota <= 1000000000000 && floor(var.producer_quota) == var.producer_quota
    error_message = "producer_quota must be a whole number of bytes per second from 0 (no limit) to 1000000000000."
  }
}

variable "consumer_quota" {
  type        = number
  default     = 0
  description = "Bytes per second that each broker sends to all consumers together before it throttles them (consumer_byte_rate). 0 means no limit."
  validation {
    condition     = var.consumer_quota >= 0 && var.consumer_quota <= 1000000000000 && floor(var.consumer_quota) == var.consumer_quota
    error_message = "consumer_quota must be a whole number of bytes per second from 0 (no limit) to 1000000000000."
  }
}

variable "encryption" {
  type        = bool
  default     = false
  description = "TLS between clients, brokers and controllers, with a certificate generated for the run."
}

variable "password" {
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "Password of clients and brokers (SCRAM-SHA-512); null disables it. Stored only in the configuration of running brokers and agents."
  validation {
    # What neither the properties, nor JAAS, nor Kafka's formatter reads as anything but itself.
    condition     = var.password == null || can(regex("^[!#-+\\--Z^-~]{8,128}$", var.password))
    error_message = "password must be 8 to 128 letters, digits or ASCII symbols except \" \\ , [ and ]."
  }
}

# Set by DEC; these are not options.

variable "ca" {
  type        = any
  default     = {}
  description = "Certificate authority of the run's certificate, and the name in that certificate."
}

variable "tls" {
  type        = any
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "Certificate and key of the run's services."
}

variable "topology" {
  type        = any
  default     = {}
  description = "Topology of the workload, and whether its load outgrows the retention."
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
