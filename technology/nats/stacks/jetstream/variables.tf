variable "servers" {
  type        = number
  default     = 1
  description = "Number of servers. A single server runs without clustering."
  validation {
    condition     = contains([1, 3, 5], var.servers)
    error_message = "servers must be 1, 3 or 5: an even quorum survives no more failures than the next smaller odd one."
  }
}

variable "storage" {
  type        = string
  default     = "file"
  description = "Where the stream stores its messages: file or memory."
  validation {
    condition     = contains(["file", "memory"], var.storage)
    error_message = "storage must be file or memory."
  }
}

variable "sync_interval" {
  type        = string
  default     = "2m"
  description = "Time between two fsyncs of file storage. With always, only messages on disk are acknowledged; 2m is nats-server's default."
  validation {
    condition     = can(regex("^(always|[1-9][0-9]{0,5}(ms|s|m|h))$", var.sync_interval))
    error_message = "sync_interval must be always, or a whole number with ms, s, m or h, such as 500ms or 2m."
  }
}

variable "max_buffered_msgs" {
  type        = number
  default     = 100000
  description = "Maximum number of messages that wait in the server to be stored in the stream; more are refused. The default is nats-server's own."
  validation {
    condition     = var.max_buffered_msgs >= 1 && var.max_buffered_msgs <= 100000000 && floor(var.max_buffered_msgs) == var.max_buffered_msgs
    error_message = "max_buffered_msgs must be a whole number from 1 to 100000000."
  }
}

variable "password" {
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "Password of clients, not between servers; null disables it. Stored only in the configuration of running servers and agents."
  validation {
    # What a text in nats.conf takes as it is. The server reads what begins with $2a$ as a hash.
    condition     = var.password == null || can(regex("^[!#%-\\[\\]-~][!#-\\[\\]-~]{7,127}$", var.password))
    error_message = "password must be 8 to 128 letters, digits or ASCII symbols except \" and \\, and must not begin with $."
  }
}

# Set by DEC; these are not options.

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
