import type { Protocol } from "electron";
import { readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { CONTENT_SECURITY_POLICY, contentType } from "#shared/windowFiles.ts";
import { isOwn } from "./security.ts";

/** To be called before the app is ready: `app:` behaves like https, without the powers of file://. */
export function declareScheme(protocol: Protocol): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the built window's files, listed once; no address reaches any other file. */
export function serveWindow(protocol: Protocol, folder: string): void {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, entry);
    if (statSync(path).isFile()) files.set(`/${entry.split(sep).join("/")}`, path);
  }
  protocol.handle("app", async (request) => {
    if (request.method !== "GET") return refusal(405, "Only GET is answered.");
    const { pathname } = new URL(request.url);
    const path = isOwn(request.url) ? files.get(pathname === "/" ? "/index.html" : pathname) : undefined;
    if (path === undefined) return refusal(404, "Not found.");
    return new Response(new Uint8Array(await readFile(path)), {
      headers: { ...HEADERS, "Content-Type": contentType(path) },
    });
  });
}

const HEADERS = { "Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff" };

function refusal(status: number, sentence: string): Response {
  return new Response(sentence, { status, headers: { ...HEADERS, "Content-Type": "text/plain" } });
}
