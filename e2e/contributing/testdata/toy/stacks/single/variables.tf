variable "delay_ms" {
  type        = number
  default     = 0
  description = "Milliseconds before a message is acknowledged."
  validation {
    condition     = var.delay_ms >= 0 && var.delay_ms <= 1000 && floor(var.delay_ms) == var.delay_ms
    error_message = "delay_ms must be a whole number from 0 to 1000."
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

variable "agent" {
  type        = string
  default     = ""
  description = "Artifact with dec-agent, which contains the broker."
}
