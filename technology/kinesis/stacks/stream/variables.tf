variable "capacity" {
  type        = string
  default     = "provisioned"
  description = "Capacity mode. provisioned has one shard per partition of the workload; on_demand has as many as AWS chooses from past traffic."
  validation {
    condition     = contains(["provisioned", "on_demand"], var.capacity)
    error_message = "capacity must be provisioned or on_demand."
  }
}

variable "consumers" {
  type        = string
  default     = "polling"
  description = "By polling (GetRecords: groups share 2 MiB/s, 5 calls/s a shard) or enhanced_fan_out (SubscribeToShard: 2 MiB/s each, costs extra)."
  validation {
    condition     = contains(["polling", "enhanced_fan_out"], var.consumers)
    error_message = "consumers must be polling or enhanced_fan_out."
  }
}

variable "retention_hours" {
  type        = number
  default     = 24
  description = "Retention period of records, in hours. More than 24 costs extra."
  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760 && floor(var.retention_hours) == var.retention_hours
    error_message = "retention_hours must be a whole number from 24 to 8760 (a year)."
  }
}

variable "encryption" {
  type        = string
  default     = "none"
  description = "Encryption at rest: none, or kms with the AWS managed key for Kinesis."
  validation {
    condition     = contains(["none", "kms"], var.encryption)
    error_message = "encryption must be none or kms."
  }
}

# Set by DEC; these are not options.

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
  description = "Topology of the workload: one shard per partition, one registered consumer per consumer group."
}

variable "run" {
  type        = any
  description = "Run that all resources belong to: id, install and expires_at."
}
