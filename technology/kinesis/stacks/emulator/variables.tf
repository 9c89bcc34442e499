variable "engine" {
  type        = string
  default     = "kinesalite"
  description = "The emulator: kinesalite is fast and can only be polled; kinesis-local has enhanced fan-out and takes about a thousand records a second."
  validation {
    condition     = contains(["kinesalite", "kinesis-local"], var.engine)
    error_message = "engine must be kinesalite or kinesis-local."
  }
}

variable "consumers" {
  type        = string
  default     = "polling"
  description = "How consumers read: polling (GetRecords) or enhanced_fan_out (SubscribeToShard)."
  validation {
    condition     = contains(["polling", "enhanced_fan_out"], var.consumers)
    error_message = "consumers must be polling or enhanced_fan_out."
  }
  validation {
    condition     = !(var.consumers == "enhanced_fan_out" && var.engine == "kinesalite")
    error_message = "kinesalite has no enhanced fan-out: write engine: kinesis-local beside consumers: enhanced_fan_out, or consumers: polling."
  }
}

variable "shard_limits" {
  type        = bool
  default     = false
  description = "Hold clients to Kinesis' limits per shard: 1,000 records and 1 MiB written a second, 5 reads and 2 MiB read a second. No emulator does so by itself."
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

variable "agent" {
  type        = string
  default     = ""
  description = "Artifact with dec-agent, which holds clients to the limits."
}
