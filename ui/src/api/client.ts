import createClient from "openapi-fetch";
import { Problem } from "../lib/problem";
import type { paths } from "./schema";

/** The API as its OpenAPI document describes it. */
export const api = createClient<paths>({ baseUrl: "/" });

/** Waits for an answer and returns its body; throws a {@link Problem} for anything but success. */
export async function body<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer: Awaited<typeof call>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "It may have stopped, or the network may be down." });
  }
  if (!answer.response.ok) {
    throw new Problem(
      answer.response.status,
      typeof answer.error === "object" && answer.error !== null ? answer.error : {},
    );
  }
  return answer.data as T;
}
