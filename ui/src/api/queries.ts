import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { decodeHistogram, type Histogram, observed } from "./histogram";
import type { ExperimentState } from "./types";

/** Which experiments a list holds. */
export interface ExperimentFilter {
  q?: string | undefined;
  state?: ExperimentState | undefined;
  technology?: string | undefined;
  cursor?: string | undefined;
}

/** How many experiments a page of the list has. */
export const pageSize = 50;

export const session = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => body(api.GET("/api/v1/session", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/** Key of all lists of experiments, whatever their filter. */
export const experimentLists = ["experiments"];

/** What can be compared here, and the words for it: the same as long as the server is. */
export const catalog = () =>
  queryOptions({
    queryKey: ["catalog"],
    queryFn: ({ signal }) => body(api.GET("/api/v1/catalog", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const experiments = (filter: ExperimentFilter) =>
  queryOptions({
    queryKey: [...experimentLists, filter],
    queryFn: ({ signal }) => {
      const query = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
      return body(api.GET("/api/v1/experiments", { signal, params: { query: { ...query, limit: pageSize } } }));
    },
  });

export const experiment = (id: string) =>
  queryOptions({
    queryKey: ["experiment", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/experiments/{id}", { signal, params: { path: { id } } })),
  });

export const comparison = (experiment: string) =>
  queryOptions({
    queryKey: ["comparison", experiment],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/experiments/{id}/comparison", { signal, params: { path: { id: experiment } } })),
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{id}", { signal, params: { path: { id } } })),
  });

export const result = (id: string) =>
  queryOptions({
    queryKey: ["result", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{id}/result", { signal, params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The whole timeline of a run that was collected: it never changes again. */
export const timeline = (id: string) =>
  queryOptions({
    queryKey: ["timeline", id],
    queryFn: ({ signal }) => readTimeline(id, -1, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Reads the seconds of a run after one; after -1 all of them. */
export const readTimeline = (id: string, after: number, signal?: AbortSignal) =>
  body(
    api.GET("/api/v1/runs/{id}/timeline", {
      ...(signal && { signal }),
      params: { path: { id }, query: after >= 0 ? { after } : {} },
    }),
  );

/** The distributions of a run's measure stage by their names. */
export const histograms = (id: string) =>
  queryOptions({
    queryKey: ["histograms", id],
    queryFn: async ({ signal }) => {
      const encoded = await body(api.GET("/api/v1/runs/{id}/histograms", { signal, params: { path: { id } } }));
      const decoded: Record<string, Histogram> = {};
      for (const [name, text] of Object.entries(encoded.histograms)) decoded[name] = await decodeHistogram(text);
      for (const [name, values] of Object.entries(decoded)) decoded[name] = observed(values, decoded[`${name}_open`]);
      return decoded;
    },
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });

export const resources = (id: string) =>
  queryOptions({
    queryKey: ["resources", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{id}/resources", { signal, params: { path: { id } } })),
  });

/** Which lines of a log. */
export interface LogFilter {
  q?: string | undefined;
  source?: string | undefined;
  level?: "debug" | "info" | "warn" | "error" | undefined;
}

/** Lines of a log before a cursor, or the newest ones. */
export const readLog = (id: string, filter: LogFilter, before: string | undefined, signal?: AbortSignal) => {
  const query = Object.fromEntries(Object.entries({ ...filter, before }).filter(([, value]) => value));
  return body(api.GET("/api/v1/runs/{id}/log", { ...(signal && { signal }), params: { path: { id }, query } }));
};

export const shutdown = () =>
  queryOptions({
    queryKey: ["shutdown"],
    queryFn: ({ signal }) => body(api.GET("/api/v1/shutdown", { signal })),
    refetchInterval: 10_000,
  });

export const cancelExperiment = (id: string) =>
  body(api.POST("/api/v1/experiments/{id}/cancel", { params: { path: { id } } }));
export const cancelRun = (id: string) => body(api.POST("/api/v1/runs/{id}/cancel", { params: { path: { id } } }));
export const deleteExperiment = (id: string) =>
  body(api.DELETE("/api/v1/experiments/{id}", { params: { path: { id } } }));
export const signIn = (secret: { code: string } | { token: string }) =>
  body(api.POST("/api/v1/session", { body: secret }));
export const signOut = () => body(api.DELETE("/api/v1/session"));
