import type { Browser, BrowserContext, Frame, Page, Request, Route } from "@playwright/test";
import { fork, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FrameFacts, ServedResponse, ToBrowser, ToMain } from "./messages.ts";
import { preparePreload } from "./preload.ts";

const ROOT = join(import.meta.dirname, "../../..");
const HOOKS = join(import.meta.dirname, "hooks.ts");

/** Chromium knows no `app:`; each of its hosts becomes a secure origin that no network knows. */
const SUFFIX = ".app-scheme.invalid";

export function toWeb(url: string): string {
  return url.replace(/^app:\/\/([^/?#]+)/, `https://$1${SUFFIX}`);
}
export function toApp(url: string): string {
  return url.replace(/^https:\/\/([^/?#]+)\.app-scheme\.invalid/, "app://$1");
}

type Question = ToMain extends infer M ? (M extends { id: number } ? Omit<M, "id"> : never) : never;

/** The process that runs the built main bundle, and the pages of Chromium that are its windows. */
export class StandIn {
  /** Requests that the app let through to the network; there must be none. */
  readonly leaked: string[] = [];
  /** Navigations that the app prevented. */
  readonly prevented: string[] = [];
  /** Addresses of windows that the app did not let a page open. */
  readonly denied: string[] = [];
  readonly ended: Promise<number | null>;
  readonly #context: BrowserContext;
  readonly #child: ChildProcess;
  readonly #pages = new Map<number, Page>();
  readonly #asked = new Map<number, { resolve: (value: unknown) => void; reject: (reason: Error) => void }>();
  readonly #loading = new Set<string>();
  #preload = "";
  #dark = false;
  #stopping = false;
  #lastId = 0;
  /** Windows open one after the other, so that a page has its preload before its address. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(context: BrowserContext, child: ChildProcess) {
    this.#context = context;
    this.#child = child;
    child.on("message", (message: ToBrowser) => this.#receive(message));
    // "close" comes after the last message was read, "exit" may come before it.
    this.ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
    void this.ended.then(() => {
      for (const { reject } of this.#asked.values()) reject(new Error("The app's main process has ended."));
    });
  }

  /** Starts the built main bundle. @param args as on the command line, behind the app's own folder */
  static async start(browser: Browser, options: { home: string; args: readonly string[] }): Promise<StandIn> {
    const packaged = join(ROOT, "node_modules/node/bin/node");
    const child = fork(join(ROOT, "out/main/index.js"), [ROOT, ...options.args], {
      execPath: existsSync(packaged) ? packaged : process.execPath,
      execArgv: ["--import", HOOKS],
      serialization: "advanced",
      env: { ...process.env, KEYSTONE_HOME: options.home },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const context = await browser.newContext({ viewport: null });
    const standIn = new StandIn(context, child);
    await context.exposeBinding(
      "__toMain",
      ({ frame, page }, message: { kind: string; channel: string; data: unknown[] }) =>
        standIn.#fromPage(page, frame, message),
    );
    // Where the main process has ended there is nobody left to answer.
    await context.route("**/*", (route) =>
      standIn.#answer(route).catch(() => route.abort().catch(() => undefined)),
    );
    standIn.#tell({ type: "ready", dark: false });
    return standIn;
  }

  windows(): Page[] {
    return [...this.#pages.values()];
  }

  evaluate(source: string, argument: unknown): Promise<unknown> {
    return this.#ask({ type: "evaluate", source, argument });
  }

  /** A call as another frame of the first window would make it. */
  callFrom(frame: FrameFacts, message: unknown): Promise<unknown> {
    return this.#ask({ type: "invoke", window: 1, frame, channel: "keystone:call", data: [message] });
  }

  /** What a page of that origin is told when it asks for a permission. */
  permission(origin: string, permission: string): Promise<unknown> {
    return this.#ask({ type: "permission", origin, permission });
  }

  /** A file or folder that the next drop carries; Chromium gives a page its name only. */
  async announceDrop(page: Page, name: string, path: string): Promise<void> {
    await page.evaluate(
      ([file, at]) =>
        (globalThis as unknown as { __dropped: (n: string, p: string) => void }).__dropped(file, at),
      [name, path] as const,
    );
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGKILL");
    await this.ended;
    await this.#context.close();
  }

  #tell(message: ToMain): void {
    if (this.#child.connected) this.#child.send(message);
  }

  #ask(question: Question): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#tell({ ...question, id });
    });
  }

  #receive(message: ToBrowser): void {
    if (message.type === "answer") {
      const asked = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if (message.error === null) asked?.resolve(message.value);
      else asked?.reject(new Error(message.error));
      return;
    }
    this.#queue = this.#queue
      .then(() => this.#follow(message))
      .catch((thrown: unknown) => {
        // A page that was closed meanwhile; a message to it is lost in Electron too.
        if (!this.#stopping && !/closed|navigation|destroyed/i.test(String(thrown))) console.error(thrown);
      });
  }

  async #follow(message: Exclude<ToBrowser, { type: "answer" }>): Promise<void> {
    if (message.type === "theme") {
      this.#dark = message.dark;
      for (const page of this.windows())
        await page.emulateMedia({ colorScheme: message.dark ? "dark" : "light" });
      return;
    }
    if (message.type === "open") return this.#open(message);
    const page = this.#pages.get(message.window);
    if (!page) return;
    switch (message.type) {
      case "load":
        this.#loading.add(message.url);
        await page.goto(toWeb(message.url), { waitUntil: "commit" });
        break;
      case "reload":
        await page.reload();
        break;
      case "send":
        await page.evaluate(
          ([channel, data]) =>
            (globalThis as unknown as { __fromMain: (c: string, d: unknown[]) => void }).__fromMain(
              channel,
              data,
            ),
          [message.channel, message.data] as const,
        );
        break;
      case "close":
        this.#pages.delete(message.window);
        await page.close();
        break;
    }
  }

  async #open({ window, width, height, preload }: Extract<ToBrowser, { type: "open" }>): Promise<void> {
    const page = await this.#context.newPage();
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: this.#dark ? "dark" : "light" });
    this.#preload ||= readFileSync(preload, "utf8");
    await page.addInitScript({ content: initScript(this.#preload) });
    page.on("load", () => this.#tell({ type: "loaded", window, url: toApp(page.url()) }));
    page.on("close", () => {
      if (this.#pages.delete(window)) this.#tell({ type: "closed", window });
    });
    page.on("popup", (popup) => void popup.close());
    this.#pages.set(window, page);
  }

  /** A page's `window.open`. What the app would allow counts as leaked: the stand-in opens no second kind of window. */
  async #popup(url: string): Promise<void> {
    const [window = 0] = this.#pages.keys();
    const action = await this.#ask({ type: "popup", window, url });
    (action === "deny" ? this.denied : this.leaked).push(url);
  }

  #fromPage(
    page: Page,
    frame: Frame,
    { kind, channel, data }: { kind: string; channel: string; data: unknown[] },
  ): Promise<unknown> | undefined {
    const window = this.#windowOf(page);
    if (window === null) return undefined;
    const facts = {
      url: toApp(frame.url()),
      parent: frame.parentFrame() ? toApp(frame.parentFrame()?.url() ?? "") : null,
    };
    if (kind === "invoke") return this.#ask({ type: "invoke", window, frame: facts, channel, data });
    this.#tell({ type: "post", window, frame: facts, channel, data });
    return undefined;
  }

  #windowOf(page: Page): number | null {
    for (const [window, known] of this.#pages) if (known === page) return window;
    return null;
  }

  /** Every request of every page: `will-frame-navigate` first, then what the app's session and protocol say. */
  async #answer(route: Route): Promise<void> {
    const request = route.request();
    const url = toApp(request.url());
    if (request.isNavigationRequest() && !this.#loading.delete(url)) {
      const frame = frameOf(request);
      const window = frame && this.#windowOf(frame.page());
      if (!frame || window === null) {
        await this.#popup(url);
        return route.abort("aborted");
      }
      if (
        (await this.#ask({ type: "navigate", window, url, topFrame: frame.parentFrame() === null })) !== true
      ) {
        this.prevented.push(url);
        return route.abort("aborted");
      }
    }
    const served = (await this.#ask({ type: "request", url, method: request.method() })) as
      ServedResponse | "cancelled" | "network";
    if (served === "network") this.leaked.push(url);
    if (typeof served === "string") return route.abort("blockedbyclient");
    await route.fulfill({ status: served.status, headers: served.headers, body: Buffer.from(served.body) });
  }
}

/** The frame a request belongs to; null for the first request of a page that is only just being made. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}

/** The preload bundle as Electron would load it: a CommonJS function around it, in the top frame alone. */
function initScript(preload: string): string {
  return `(() => {
    if (globalThis !== globalThis.top) { delete globalThis.__toMain; return; }
    const { require, process } = (${preparePreload.toString()})(${JSON.stringify(process.platform)});
    ((require, module, exports, process) => {${preload}\n})(require, { exports: {} }, {}, process);
  })();`;
}
