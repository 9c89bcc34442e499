let code: string | undefined;

/** Takes a one-time code out of the fragment of the address, and the address out of the history. */
export function takeCode(): void {
  const found = /^#code=(.+)$/.exec(location.hash);
  if (!found?.[1]) return;
  code = decodeURIComponent(found[1]);
  const next =
    location.pathname === "/sign-in"
      ? location.search
      : `?next=${encodeURIComponent(location.pathname + location.search)}`;
  history.replaceState(null, "", `/sign-in${next === "?next=%2F" ? "" : next}`);
}

/** The code that the page was opened with; once. */
export function usedOnce(): string | undefined {
  const taken = code;
  code = undefined;
  return taken;
}
