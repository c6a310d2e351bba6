import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { KeystoneError } from "#shared/errors.ts";
import type { Studio } from "#studio/context/studio.ts";
import { Access, REFUSALS, requestUrl, type Refusal } from "./access.ts";
import { attachSocket } from "./socket.ts";
import { SECURITY_HEADERS, StaticFiles } from "./staticFiles.ts";

export interface ServeOptions {
  studio: Studio;
  /** Built window, out/renderer. */
  rendererFolder: string;
  /** 0 = any free port. */
  port: number;
  /** Address to listen on; loopback unless a person asks for more. */
  host: string;
}

export interface Served {
  /** The address to open, with its token. */
  url: string;
  port: number;
  close(): Promise<void>;
}

const LOOPBACK = ["127.0.0.1", "localhost", "::1"];

/** True where only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host) || host.startsWith("127.");
}

/**
 * Serves a studio to browsers: the window's files over HTTP, the contract over WebSocket.
 * @throws KeystoneError serve/not-built, serve/cannot-listen
 */
export async function serve(options: ServeOptions): Promise<Served> {
  if (!existsSync(options.rendererFolder)) {
    throw new KeystoneError(
      "serve/not-built",
      `The window is not built: ${options.rendererFolder} is missing.`,
      "Run npm run build, then start it again.",
    );
  }
  const files = new StaticFiles(options.rendererFolder);
  const server = createServer();
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const access = new Access(acceptedNames(options.host), port);
  server.on("request", (request: IncomingMessage, response: ServerResponse) =>
    respond(request, response, access, files),
  );
  const detach = attachSocket(
    server,
    options.studio,
    (request) => access.refuseSource(request, true) ?? access.refuseCookie(request),
  );
  const name = reachableName(options.host);
  const shown = name.includes(":") ? `[${name}]` : name;
  return {
    url: `http://${shown}:${port}/?token=${access.token}`,
    port,
    close: () =>
      new Promise((resolve) => {
        detach();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const EVERYWHERE = ["0.0.0.0", "::"];

/** Names by which browsers may call this server. Listening everywhere, they use one of the machine's own addresses. */
function acceptedNames(host: string): string[] {
  const own = ownAddresses().map((entry) => entry.address);
  return [...LOOPBACK, host, ...(EVERYWHERE.includes(host) ? [hostname(), ...own] : [])];
}

/** The name to print: where the server listens everywhere, an address under which other machines find this one. */
function reachableName(host: string): string {
  if (!EVERYWHERE.includes(host)) return host;
  return ownAddresses().find((entry) => !entry.internal && entry.family === "IPv4")?.address ?? "127.0.0.1";
}

function ownAddresses(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
}

function listen(server: Server, { port, host }: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new KeystoneError(
          "serve/cannot-listen",
          `The studio cannot listen on ${host}:${port}: ${error.code === "EADDRINUSE" ? "the port is in use" : error.message}.`,
          "Choose another port with --port, or 0 for any free one.",
          { host, port },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  files: StaticFiles,
): void {
  const source = access.refuseSource(request, false);
  if (source !== null) return refuse(response, source);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { ...SECURITY_HEADERS, Allow: "GET, HEAD" }).end();
    return;
  }
  const url = requestUrl(request);
  if (url === null) {
    response.writeHead(400, SECURITY_HEADERS).end();
    return;
  }
  if (url.searchParams.has("token")) {
    if (!access.tokenInAddress(url)) return refuse(response, "token");
    // The token leaves the address bar, the history and every later Referer.
    response.writeHead(303, { ...SECURITY_HEADERS, "Set-Cookie": access.setCookie(), Location: "/" }).end();
    return;
  }
  const cookie = access.refuseCookie(request);
  if (cookie !== null) return refuse(response, cookie);
  files.send(url.pathname, response, request.method === "HEAD");
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  response
    .writeHead(403, { ...SECURITY_HEADERS, "Content-Type": "text/plain; charset=utf-8" })
    .end(`${REFUSALS[refusal]}\n`);
}
