terraform {
  required_providers {
    dec = { source = "dec.local/dec/dec" }
  }
}
