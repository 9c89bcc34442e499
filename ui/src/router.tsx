import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { given, list, oneOf, parseSearch, stringifySearch, text } from "./lib/search";
import { Frame } from "./pages/Frame";
import { NotFound, PageError } from "./pages/NotFound";

const root = createRootRoute({ notFoundComponent: NotFound, errorComponent: PageError });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (raw: Record<string, unknown>) => given({ next: text(raw, "next") }),
  component: lazyRouteComponent(() => import("./pages/sign-in/SignIn"), "SignIn"),
});

const frame = createRoute({ getParentRoute: () => root, id: "frame", component: Frame });

const home = createRoute({
  getParentRoute: () => frame,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/experiments", replace: true });
  },
});

const experiments = createRoute({
  getParentRoute: () => frame,
  path: "/experiments",
  validateSearch: (raw: Record<string, unknown>) =>
    given({
      q: text(raw, "q"),
      state: oneOf(raw, "state", ["queued", "running", "ended"]),
      technology: text(raw, "technology"),
      /** Cursors of the pages before this one and of this one; absent on the first page. */
      pages: list(raw, "pages"),
    }),
  component: lazyRouteComponent(() => import("./pages/experiments/ExperimentsPage"), "ExperimentsPage"),
});

/** A window of the time axis, "from" and "to" in seconds of the measure stage. */
const seconds = (raw: Record<string, unknown>, name: string) => {
  const value = text(raw, name);
  return value !== undefined && /^-?\d{1,7}$/.test(value) ? Number(value) : undefined;
};

const experiment = createRoute({
  getParentRoute: () => frame,
  path: "/experiments/$id",
  validateSearch: (raw: Record<string, unknown>) =>
    given({
      tab: oneOf(raw, "tab", ["runs", "config"]),
      metric: text(raw, "metric"),
      hide: list(raw, "hide"),
      from: seconds(raw, "from"),
      to: seconds(raw, "to"),
    }),
  component: lazyRouteComponent(() => import("./pages/experiment/ExperimentPage"), "ExperimentPage"),
});

const run = createRoute({
  getParentRoute: () => frame,
  path: "/runs/$id",
  validateSearch: (raw: Record<string, unknown>) =>
    given({
      tab: oneOf(raw, "tab", ["resources", "log", "config"]),
      hide: list(raw, "hide"),
      from: seconds(raw, "from"),
      to: seconds(raw, "to"),
      q: text(raw, "q"),
      source: text(raw, "source"),
      level: oneOf(raw, "level", ["debug", "info", "warn", "error"]),
    }),
  component: lazyRouteComponent(() => import("./pages/run/RunPage"), "RunPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([signIn, frame.addChildren([home, experiments, experiment, run])]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
