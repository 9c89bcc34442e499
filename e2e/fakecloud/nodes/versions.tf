terraform {
  required_providers {
    fakecloud = { source = "dec.local/dec/fakecloud" }
  }
}
