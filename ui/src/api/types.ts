// Names for the types of the OpenAPI document (schema.d.ts, made by `npm run types`).
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Beat = Schemas["Beat"];
export type Catalog = Schemas["Catalog"];
export type ComparedRun = Schemas["ComparedRun"];
export type Comparison = Schemas["Comparison"];
export type Experiment = Schemas["Experiment"];
export type ExperimentDetail = Schemas["ExperimentDetail"];
export type ExperimentState = Experiment["state"];
export type Fairness = Schemas["Fairness"];
export type Figure = Schemas["Figure"];
export type Incident = Schemas["Incident"];
export type Latency = Schemas["Latency"];
export type LogLine = Schemas["LogLine"];
export type Metric = Schemas["Metric"];
export type Pair = Schemas["StatsPair"];
export type Phase = Run["phase"];
export type Resource = Schemas["Resource"];
export type Result = Schemas["RunResult"];
export type Run = Schemas["Run"];
export type RunDetail = Schemas["RunDetail"];
export type Second = Schemas["Second"];
export type Snapshot = Schemas["Snapshot"];
export type StoredEvent = Schemas["Event"];
export type TargetFacts = Schemas["TargetFacts"];
export type VariantName = Schemas["VariantName"];
export type VariantSummary = Schemas["VariantSummary"];
export type Unit = Figure["unit"];
