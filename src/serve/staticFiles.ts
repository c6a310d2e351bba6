import { createReadStream, readdirSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join, relative, sep } from "node:path";
import { CONTENT_SECURITY_POLICY, contentType } from "#shared/windowFiles.ts";

export const SECURITY_HEADERS: Record<string, string> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/**
 * The built window's files, listed once: a request names a key of this list or gets nothing, so that no path
 * in an address ever reaches the disk.
 */
export class StaticFiles {
  readonly #files = new Map<string, string>();

  constructor(folder: string) {
    for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const path = join(folder, entry);
      if (statSync(path).isFile()) this.#files.set(`/${relative(folder, path).split(sep).join("/")}`, path);
    }
  }

  /** Sends the file at an address path (`/` is the window itself), or 404. */
  send(pathname: string, response: ServerResponse, head: boolean): void {
    const path = this.#files.get(pathname === "/" ? "/index.html" : pathname);
    if (path === undefined) {
      response.writeHead(404, { ...SECURITY_HEADERS, "Content-Type": "text/plain" }).end("Not found.");
      return;
    }
    const hashed = pathname.startsWith("/assets/");
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      "Content-Type": contentType(path),
      "Content-Length": statSync(path).size,
      "Cache-Control": hashed ? "private, max-age=31536000, immutable" : "no-cache",
    });
    if (head) response.end();
    else
      createReadStream(path)
        .on("error", () => response.destroy())
        .pipe(response);
  }
}
