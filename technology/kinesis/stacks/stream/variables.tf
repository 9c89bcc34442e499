variable "capacity" {
  type        = string
  default     = "provisioned"
  description = "provisioned has a shard for each partition of the workload; with on_demand AWS chooses the shards, by what was written before."
  validation {
    condition     = contains(["provisioned", "on_demand"], var.capacity)
    error_message = "capacity must be provisioned or on_demand."
  }
}

variable "consumers" {
  type        = string
  default     = "polling"
  description = "How consumers read: polling (GetRecords; all groups share 2 MiB and 5 calls a second of each shard) or enhanced_fan_out (SubscribeToShard; 2 MiB a second of each shard for each group, at a price)."
  validation {
    condition     = contains(["polling", "enhanced_fan_out"], var.consumers)
    error_message = "consumers must be polling or enhanced_fan_out."
  }
}

variable "retention_hours" {
  type        = number
  default     = 24
  description = "Hours that records are kept. More than 24 cost extra."
  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760 && floor(var.retention_hours) == var.retention_hours
    error_message = "retention_hours must be a whole number from 24 to 8760 (a year)."
  }
}

variable "encryption" {
  type        = string
  default     = "none"
  description = "Encryption of what is stored: none, or kms with the key that AWS manages for Kinesis."
  validation {
    condition     = contains(["none", "kms"], var.encryption)
    error_message = "encryption must be none or kms."
  }
}

# Given by DEC, no options.

variable "addresses" {
  type        = any
  default     = {}
  description = "Host and ports of each node, by group. There are none."
}

variable "network" {
  type        = any
  default     = {}
  description = "Network of the target."
}

variable "topology" {
  type        = any
  default     = {}
  description = "The workload's: a shard for each of its partitions, a registered consumer for each of its consumer_groups."
}

variable "run" {
  type        = any
  description = "The run that everything here belongs to: id, install and expires_at."
}
