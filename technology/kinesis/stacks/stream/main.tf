# A stream of Amazon Kinesis. It has no machines, so there are neither groups nor
# services.

data "aws_region" "current" {}

locals {
  tags = {
    "dec:install"    = var.run.install
    "dec:run"        = var.run.id
    "dec:expires-at" = var.run.expires_at
  }
  # As the workload's agents call them.
  groups = toset([for i in range(try(var.topology.consumer_groups, 1)) : "group-${i}"])
}

resource "aws_kinesis_stream" "stream" {
  # An interrupted create may leave a stream that has neither state nor tags: then
  # the name alone tells whose it is.
  name             = "dec-${var.run.id}"
  shard_count      = var.capacity == "provisioned" ? try(var.topology.partitions, 1) : null
  retention_period = var.retention_hours
  encryption_type  = var.encryption == "kms" ? "KMS" : "NONE"
  kms_key_id       = var.encryption == "kms" ? "alias/aws/kinesis" : null
  # Agents may have registered consumers; a stream that has any is not deleted.
  enforce_consumer_deletion = true

  stream_mode_details {
    stream_mode = var.capacity == "provisioned" ? "PROVISIONED" : "ON_DEMAND"
  }

  timeouts {
    create = "10m"
    update = "30m"
    delete = "30m"
  }

  tags = merge(local.tags, { "dec:address" = "module.stack.aws_kinesis_stream.stream" })
}

# It has no tags of its own and goes with its stream.
resource "aws_kinesis_stream_consumer" "group" {
  for_each = var.consumers == "enhanced_fan_out" ? local.groups : toset([])

  name       = each.key
  stream_arn = aws_kinesis_stream.stream.arn
}

output "groups" {
  value = {}
}

output "services" {
  value = {}
}

output "endpoints" {
  value = {
    region    = data.aws_region.current.name
    endpoint  = ""
    stream    = aws_kinesis_stream.stream.name
    consumers = var.consumers
    emulator  = ""
    limits    = false
    capacity  = var.capacity
  }
  depends_on = [aws_kinesis_stream_consumer.group]
}
