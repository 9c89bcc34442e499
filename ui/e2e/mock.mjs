// A small stand-in for the server, for the tests of what a real one does not do
// on command: fail, fall silent, restart, be empty. It serves the built page
// with the real server's headers.
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sample } from "./sample.mjs";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Starts the stand-in. Tests change `data` and call the functions of what is returned. */
export async function startMock(data = sample(), port = 0) {
  const streams = new Set();
  const mock = { data, streams, failing: new Map(), requests: [], signedIn: false, lastEvent: 100, refuse: 0 };
  const server = createServer((request, response) => answer(mock, request, response));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  mock.port = server.address().port;
  mock.url = `http://127.0.0.1:${mock.port}`;
  const send = (text) => {
    for (const stream of streams) stream.write(text);
  };
  mock.event = (event) => {
    mock.lastEvent++;
    send(
      `id: ${mock.lastEvent}\nevent: event\ndata: ${JSON.stringify({ id: mock.lastEvent, at: now(), ...event })}\n\n`,
    );
  };
  mock.snapshot = (run, second) =>
    send(`event: snapshot\ndata: ${JSON.stringify({ run, experiment: data.experiments[0]?.id, second })}\n\n`);
  mock.beat = (change = {}) =>
    send(`event: beat\ndata: ${JSON.stringify({ at: now(), version: "1.0.0", draining: false, ...change })}\n\n`);
  mock.cut = () => {
    for (const stream of streams) stream.destroy();
    streams.clear();
  };
  mock.stop = async () => {
    mock.cut();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return mock;
}

const now = () => new Date().toISOString();

function answer(mock, request, response) {
  const url = new URL(request.url, mock.url);
  const nonce = Math.random().toString(36).slice(2);
  response.setHeader(
    "Content-Security-Policy",
    `default-src 'self'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  );
  if (!url.pathname.startsWith("/api/")) return page(url, nonce, response);
  mock.requests.push(`${request.method} ${url.pathname}${url.search}`);
  let body = "";
  request.on("data", (part) => {
    body += part;
  });
  request.on("end", () => call(mock, request.method, url, body, response));
}

function page(url, nonce, response) {
  const file = join(dist, url.pathname);
  if (extname(file) && existsSync(file)) {
    response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream");
    return createReadStream(file).pipe(response);
  }
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.setHeader("Cache-Control", "no-store");
  const index = readFileSync(join(dist, "index.html"), "utf8");
  response.end(index.replace("{{nonce}}", nonce));
}

function call(mock, method, url, body, response) {
  const path = url.pathname.replace("/api/v1", "");
  const problem = (status, detail) => json(response, { title: `Status ${status}`, status, detail }, status);
  for (const [part, status] of mock.failing) {
    if (path.includes(part)) return problem(status, "The test wants this to fail.");
  }
  if (path === "/session" && method === "POST") {
    const { code, token } = JSON.parse(body);
    if (code !== mock.data.code && token !== mock.data.token) return problem(401, "The code or token is not valid.");
    mock.data.code = undefined;
    mock.signedIn = true;
    return json(response, mock.data.session);
  }
  if (!mock.signedIn) return problem(401, "Sign in first.");
  if (path === "/events") return events(mock, response);
  if (method === "DELETE" && path === "/session") {
    mock.signedIn = false;
    response.statusCode = 204;
    return response.end();
  }
  const found = mock.data.answer(path, method, url.searchParams);
  if (found === undefined) return problem(404, `There is no ${path}.`);
  return json(response, { ...found, as_of: now(), last_event_id: mock.lastEvent }, method === "GET" ? 200 : 202);
}

function events(mock, response) {
  if (mock.refuse > 0) {
    mock.refuse--;
    response.statusCode = 503;
    return response.end();
  }
  response.setHeader("Content-Type", "text/event-stream");
  response.flushHeaders();
  mock.streams.add(response);
  response.on("close", () => mock.streams.delete(response));
  mock.beat();
}

function json(response, value, status = 200) {
  response.statusCode = status;
  response.setHeader("Content-Type", status < 400 ? "application/json" : "application/problem+json");
  response.end(JSON.stringify(value));
}
