variable "brokers" {
  type        = number
  default     = 1
  description = "Brokers of the cluster. Each is also a controller of the KRaft quorum."
  validation {
    condition     = contains([1, 3, 5], var.brokers)
    error_message = "brokers must be 1, 3 or 5: an even quorum survives no more failures than the odd one below it."
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
    error_message = "min_insync_replicas must not be more than brokers, or nothing is ever acknowledged."
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

# Given by DEC, no options.

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
