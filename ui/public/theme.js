// Runs before the first paint, so that a dark page never flashes in light.
(() => {
  let scheme = "auto";
  try {
    scheme = localStorage.getItem("dec-color-scheme") ?? "auto";
  } catch {
    // Storage may be forbidden: then the system decides.
  }
  if (scheme !== "light" && scheme !== "dark") {
    scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
