variable "run" {
  description = "The run that everything here belongs to."
  type = object({
    id         = string
    install    = string
    expires_at = string
    logs       = string            # the folder that the logs of each service are saved below, not saved if empty
    cpus       = map(list(number)) # the CPUs of each role, none for no affinity
  })
}

variable "groups" {
  description = "Nodes by group: how many, their ports by name, and their role (broker or agent)."
  type = map(object({
    count = number
    ports = optional(list(string), [])
    role  = optional(string, "broker")
  }))
}

# Apart from groups, because addresses depends on groups alone: services may
# contain addresses.
variable "services" {
  description = "What runs on which node. Times are in seconds, memory in bytes; 0 is no limit."
  type = map(object({
    group       = string
    index       = number
    command     = list(string)
    environment = optional(map(string), {})
    files       = optional(map(string), {})
    artifacts   = optional(map(string), {}) # link in the working folder => name@version
    readiness = optional(object({
      log     = optional(string, "")
      port    = optional(string, "") # the name of a port of its node
      timeout = optional(number, 60)
    }), {})
    lifetime    = optional(string, "service")
    stop_signal = optional(string, "SIGTERM")
    grace       = optional(number, 10)
    memory      = optional(number, 0)
  }))

  validation {
    condition     = alltrue([for s in values(var.services) : s.index < try(var.groups[s.group].count, 0)])
    error_message = "Every service must be on a node that exists: its group in groups, its index below the group's count."
  }
}

# Apart from services, because they must not reach plan or state.
variable "secrets" {
  description = "By service, secret files: path below the working folder => content."
  type        = map(map(string))
  default     = {}
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = alltrue([for name in keys(var.secrets) : contains(keys(var.services), name)])
    error_message = "Every secret file must be of a service that exists."
  }
}
