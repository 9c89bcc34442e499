// uPlot asks for numbers in the browser's language as soon as it is loaded, and fails if there is no such
// language: Chromium makes "en-US@posix" of the POSIX locale (LANG=C). So this comes before any other import.
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
}

export {};
