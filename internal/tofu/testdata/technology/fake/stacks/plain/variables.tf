variable "members" {
  type        = number
  default     = 2
  description = "Number of members."
  validation {
    condition     = var.members >= 1 && var.members <= 9 && floor(var.members) == var.members
    error_message = "Write a whole number from 1 to 9."
  }
}

variable "text" {
  type        = string
  default     = ""
  description = "A text that the endpoints repeat."
}

variable "hold" {
  type        = string
  default     = null
  description = "A named pipe; the first member is complete when it was written to."
}

variable "misspell" {
  type        = bool
  default     = false
  description = "Give attributes that the nodes module doesn't know."
}

variable "addresses" {
  type    = any
  default = {}
}

variable "network" {
  type    = any
  default = {}
}
