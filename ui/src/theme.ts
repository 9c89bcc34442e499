import { type CSSVariablesResolver, createTheme } from "@mantine/core";

export const theme = createTheme({
  respectReducedMotion: true,
  primaryColor: "blue",
  primaryShade: { light: 8, dark: 8 },
  cursorType: "pointer",
  defaultRadius: "md",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", Menlo, Consolas, monospace',
  headings: { fontWeight: "650" },
});

/** Text and borders that reach the contrast of WCAG AA in both themes, and the colours of the series. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#495057",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-placeholder": "#6c757d",
    "--mantine-color-default-border": "#868e96",
    "--dec-good": "#06694c",
    "--dec-warn": "#8a5600",
    "--dec-warn-bg": "#fff6e0",
    "--dec-bad": "#c92a2a",
    "--dec-info": "#1864ab",
    "--dec-card": "#f8f9fa",
    "--dec-shade": "#f1f3f5",
    "--dec-line": "#dee2e6",
    ...series(["#252fb1", "#e25d1d", "#019d7e", "#791265", "#ad67dc", "#30718e", "#6a560a", "#222222"]),
  },
  dark: {
    "--mantine-color-dimmed": "#b8b8b8",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-placeholder": "#a0a0a0",
    "--mantine-color-default-border": "#828282",
    "--dec-good": "#63d3ad",
    "--dec-warn": "#f5b133",
    "--dec-warn-bg": "#33290f",
    "--dec-bad": "#ff8787",
    "--dec-info": "#74c0fc",
    "--dec-card": "#2e2e2e",
    "--dec-shade": "#2e2e2e",
    "--dec-line": "#424242",
    ...series(["#839ffc", "#ff9d36", "#86f8cf", "#fa028b", "#9455ef", "#328bb0", "#f4e300", "#b7b7b7"]),
  },
});

function series(colors: string[]): Record<string, string> {
  return Object.fromEntries(colors.map((color, i) => [`--series-${i + 1}`, color]));
}
