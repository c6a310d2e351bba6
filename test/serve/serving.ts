import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { WebSocket } from "ws";
import { createStudio } from "#studio/createStudio.ts";
import type { Studio } from "#studio/context/studio.ts";
import { serve, type Served } from "../../src/serve/index.ts";

const FAKE_WORKER = join(import.meta.dirname, "../studio/fakeWorker.ts");

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

export function afterwards(clean: () => Promise<void> | void): void {
  cleanups.push(clean);
}

/** Folders of a test: what the studio may use, what it may not, and links that lead out of the one into the other. */
export interface Folders {
  home: string;
  allowed: string;
  outside: string;
  text: string;
}

export function makeFolders(): Folders {
  const base = mkdtempSync(join(tmpdir(), "keystone-serve-"));
  afterwards(() => rmSync(base, { recursive: true, force: true }));
  const folders = {
    home: join(base, "home"),
    allowed: join(base, "allowed"),
    outside: join(base, "outside"),
    text: join(base, "allowed/text.txt"),
  };
  for (const folder of [folders.home, folders.allowed, folders.outside]) mkdirSync(folder);
  writeFileSync(folders.text, "Some words to score.");
  writeFileSync(join(folders.outside, "secret.txt"), "Not for the window.");
  writeFileSync(join(folders.outside, "config.json"), "{}");
  symlinkSync(folders.outside, join(folders.allowed, "link-to-outside"));
  symlinkSync(join(folders.outside, "secret.txt"), join(folders.allowed, "link.txt"));
  symlinkSync(join(folders.allowed, "loop"), join(folders.allowed, "loop"));
  symlinkSync(join(folders.outside, "not-there-yet"), join(folders.allowed, "dangling"));
  return folders;
}

/** A studio with the fake worker that may use the allowed folder alone. */
export function limitedStudio(folders: Folders): Studio {
  const studio = createStudio({
    home: folders.home,
    workerFile: FAKE_WORKER,
    overrides: { workers: 1, threadsPerWorker: 1 },
    roots: [folders.allowed],
  });
  afterwards(() => studio.close());
  return studio;
}

export interface Site extends Served {
  studio: Studio;
  folders: Folders;
  /** `name=value`, as a browser sends it back. */
  cookie: string;
  token: string;
  origin: string;
}

/** A limited studio, served on a free port. */
export async function serveStudio(): Promise<Site> {
  const folders = makeFolders();
  const studio = limitedStudio(folders);
  const renderer = join(folders.home, "renderer");
  mkdirSync(join(renderer, "assets"), { recursive: true });
  writeFileSync(join(renderer, "index.html"), "<!doctype html><title>Keystone</title>");
  writeFileSync(join(renderer, "assets/main-abc.js"), "export {};");
  const served = await serve({ studio, rendererFolder: renderer, port: 0, host: "127.0.0.1" });
  afterwards(() => served.close());
  const token = new URL(served.url).searchParams.get("token") ?? "";
  const { headers } = await ask(served.port, `/?token=${token}`);
  const cookie = (headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";
  return { ...served, studio, folders, cookie, token, origin: `http://127.0.0.1:${served.port}` };
}

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
}

/** One HTTP request whose headers are exactly those given (and Host, unless given). */
export function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method: options.method ?? "GET", headers: options.headers ?? {} },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    sent.on("error", reject).end();
  });
}

/** Sends bytes as they are and gives back what comes before the connection closes. */
export function askRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.on("error", () => resolve(answer)).on("close", () => resolve(answer));
  });
}

/** The status of an upgrade that is refused, or 101. */
export function upgradeStatus(port: number, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      path,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    sent.on("error", reject).end();
  });
}

/** A connected window: sends anything, waits for answers by id. */
export class Line {
  readonly socket: WebSocket;
  /** Every message received, parsed, in order. */
  readonly received: unknown[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      this.received.push(JSON.parse(data.toString("utf8")));
      for (const look of this.#waiting) look();
    });
  }

  static connect(site: Site): Promise<Line> {
    const socket = new WebSocket(`ws://127.0.0.1:${site.port}/socket`, {
      headers: { Origin: site.origin, Cookie: site.cookie },
    });
    afterwards(() => socket.terminate());
    return new Promise((resolve, reject) => {
      socket.on("error", reject).on("open", () => resolve(new Line(socket)));
    });
  }

  /** The first message, old or new, that `wanted` accepts. */
  async wait<T>(wanted: (message: unknown) => message is T): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.received.find(wanted);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Sends text or bytes as they are and gives back the next answer (events are passed over). */
  async exchange(data: string | Buffer): Promise<unknown> {
    const from = this.received.length;
    this.socket.send(data);
    const isNew = (message: unknown): message is object =>
      typeof message === "object" &&
      message !== null &&
      "id" in message &&
      this.received.indexOf(message) >= from;
    return this.wait(isNew);
  }
}
