import type { Protocol } from "electron";
import { readFile } from "node:fs/promises";
import { readdirSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
};

/** The window loads its own files alone; Plotly sets style attributes, nothing else is inline. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** To be called before the app is ready: `app:` behaves like https, without the powers of file://. */
export function declareScheme(protocol: Protocol): void {
  protocol.registerSchemesAsPrivileged([{ scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true } }]);
}

/** Serves the built window's files, listed once; no address reaches any other file. */
export function serveWindow(protocol: Protocol, folder: string): void {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, entry);
    if (statSync(path).isFile()) files.set(`/${entry.split(sep).join("/")}`, path);
  }
  protocol.handle("app", async (request) => {
    const { host, pathname } = new URL(request.url);
    const path = host === "keystone" ? files.get(pathname === "/" ? "/index.html" : pathname) : undefined;
    if (path === undefined) return new Response("Not found.", { status: 404 });
    return new Response(new Uint8Array(await readFile(path)), {
      headers: {
        "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
      },
    });
  });
}
