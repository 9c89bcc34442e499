variable "engine" {
  type        = string
  default     = "kinesalite"
  description = "Emulator to run: kinesalite is fast but only polls; kinesis-local has enhanced fan-out and accepts about 1,000 records per second."
  validation {
    condition     = contains(["kinesalite", "kinesis-local"], var.engine)
    error_message = "engine must be kinesalite or kinesis-local."
  }
}

variable "consumers" {
  type        = string
  default     = "polling"
  description = "How consumers read: by polling (GetRecords) or enhanced_fan_out (SubscribeToShard)."
  validation {
    condition     = contains(["polling", "enhanced_fan_out"], var.consumers)
    error_message = "consumers must be polling or enhanced_fan_out."
  }
  validation {
    condition     = !(var.consumers == "enhanced_fan_out" && var.engine == "kinesalite")
    error_message = "kinesalite has no enhanced fan-out: set engine: kinesis-local, or consumers: polling."
  }
}

variable "shard_limits" {
  type        = bool
  default     = false
  description = "Enforce what emulators do not, Kinesis' limits per shard and second: 1,000 records and 1 MiB written, 5 reads and 2 MiB read."
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

variable "agent" {
  type        = string
  default     = ""
  description = "Artifact with dec-agent, which enforces the limits."
}
