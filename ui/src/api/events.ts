import type { Beat, Snapshot, StoredEvent } from "./types";

/** One message of the event stream. Only stored events have an id, after which the stream can be resumed. */
export type Frame =
  | { type: "event"; id: number; data: StoredEvent }
  | { type: "snapshot"; data: Snapshot }
  | { type: "beat"; data: Beat };

/** The messages that {@link decodeFrame} knows. */
export const frameTypes = ["event", "snapshot", "beat"] as const satisfies Frame["type"][];

/** Address of the stream of everything after an event. */
export const eventsUrl = (after: number) => `/api/v1/events?after=${after}`;

/**
 * Reads a message of the stream, typed as the OpenAPI document says. Undefined
 * for anything else: a newer server may send what this page does not know.
 */
export function decodeFrame(message: Pick<MessageEvent<string>, "type" | "data" | "lastEventId">): Frame | undefined {
  const data = parse(message.data);
  if (typeof data !== "object" || data === null) return undefined;
  switch (message.type) {
    case "event": {
      const id = Number(message.lastEventId);
      return id > 0 ? { type: "event", id, data: data as StoredEvent } : undefined;
    }
    case "snapshot":
      return { type: "snapshot", data: data as Snapshot };
    case "beat":
      return { type: "beat", data: data as Beat };
    default:
      return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
