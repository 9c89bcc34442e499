/** A refusal or failure, in the words of the server (RFC 9457) wherever there are some. */
export class Problem extends Error {
  override name = "Problem";
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Where in the input, and what is wrong there. */
  readonly fields: { location: string; message: string }[];

  constructor(status: number, body: { title?: unknown; detail?: unknown; errors?: unknown } = {}) {
    const title =
      typeof body.title === "string"
        ? body.title
        : (statusTitles[status] ?? `The server responded with status ${status}`);
    const detail = typeof body.detail === "string" ? body.detail : "";
    super(detail || title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.fields = Array.isArray(body.errors) ? body.errors.filter(isField) : [];
  }
}

const statusTitles: Record<number, string> = {
  0: "No response from the server",
  401: "Not signed in",
  403: "Not permitted",
  404: "Not found, or not visible to you",
  502: "The server cannot be reached",
  503: "The server is not ready",
};

function isField(field: unknown): field is { location: string; message: string } {
  return typeof field === "object" && field !== null && "message" in field && "location" in field;
}
