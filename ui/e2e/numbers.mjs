// What the samples of the stand-in for the server have in common.

/** Milliseconds in nanoseconds. */
export const ms = (x) => Math.round(x * 1e6);

export const counts = (n, lost = 0) => ({
  offered: n,
  sent: n,
  unsent: 0,
  acked: n,
  failed: 0,
  received: n - lost,
  lost,
  duplicates: 0,
  reordered: 0,
  corrupt: 0,
  bytes: 1024 * n,
});

export const caveats = [
  "Brokers and agents shared one machine: good for function, settings and method, not for a purchase.",
];
