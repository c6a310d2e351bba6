import type { App, MenuItemConstructorOptions, Protocol } from "electron";
import { EventEmitter } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shellCommand } from "#shared/command.ts";
import { menuTemplate } from "../../src/main/menu.ts";
import { commandForPath, pathsOfSecondInstance, pathsOnCommandLine } from "../../src/main/openedPaths.ts";
import { serveWindow } from "../../src/main/protocol.ts";
import { hardenContents, isOwn } from "../../src/main/security.ts";
import { readWindowState, writeWindowState } from "../../src/main/windowState.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "keystone-shell-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the window's address", () => {
  it.each(["app://keystone", "app://keystone/", "app://keystone/index.html#/home"])("is ours: %s", (url) =>
    expect(isOwn(url)).toBe(true),
  );
  it.each([
    "",
    "x",
    "app://evil/",
    "app://keystone.evil/",
    "app://keystone@evil/",
    "app:keystone",
    "https://keystone/",
    "file:///app://keystone/",
    "javascript:app://keystone/",
    "app://user@evil",
    "app://keystone:8080/",
  ])("is not ours: %j", (url) => expect(isOwn(url)).toBe(false));
});

describe("every page", () => {
  it("is kept from leaving in any frame, from opening windows and from attaching webviews", () => {
    const app = new EventEmitter();
    hardenContents(app as unknown as App);
    let opened: (() => { action: string }) | null = null;
    const contents = Object.assign(new EventEmitter(), {
      setWindowOpenHandler: (handler: () => { action: string }) => (opened = handler),
    });
    app.emit("web-contents-created", {}, contents);
    const prevented = (name: string, url: string): boolean => {
      let stopped = false;
      contents.emit(name, { url, preventDefault: () => (stopped = true) });
      return stopped;
    };
    for (const name of ["will-frame-navigate", "will-redirect"]) {
      expect(prevented(name, "https://example.com/")).toBe(true);
      expect(prevented(name, "file:///etc/passwd")).toBe(true);
      expect(prevented(name, "app://keystone/")).toBe(false);
    }
    expect(prevented("will-attach-webview", "app://keystone/")).toBe(true);
    expect((opened as (() => object) | null)?.()).toEqual({ action: "deny" });
  });
});

describe("the app: scheme", () => {
  async function served(): Promise<(url: string, method?: string) => Promise<Response>> {
    mkdirSync(join(folder, "window/assets"), { recursive: true });
    writeFileSync(join(folder, "window/index.html"), "<!doctype html>");
    writeFileSync(join(folder, "window/assets/a.js"), "export {};");
    writeFileSync(join(folder, "secret.txt"), "no");
    let handler: ((request: Request) => Response | Promise<Response>) | null = null;
    const protocol = { handle: (_scheme: string, given: typeof handler) => (handler = given) };
    serveWindow(protocol as unknown as Protocol, join(folder, "window"));
    return async (url, method = "GET") => {
      if (!handler) throw new Error("Nothing is served.");
      return handler(new Request(url, { method }));
    };
  }

  it("serves the window's files with the policy, and sniffs nothing", async () => {
    const get = await served();
    const page = await get("app://keystone/");
    expect([page.status, page.headers.get("content-type"), await page.text()]).toEqual([
      200,
      "text/html; charset=utf-8",
      "<!doctype html>",
    ]);
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await get("app://keystone/assets/a.js")).headers.get("content-type")).toBe(
      "text/javascript; charset=utf-8",
    );
  });

  it.each([
    "app://keystone/../secret.txt",
    "app://keystone/%2e%2e/secret.txt",
    "app://keystone/..%2fsecret.txt",
    "app://keystone/assets/",
    "app://elsewhere/index.html",
    "app://keystone/__proto__",
    "app://keystone//etc/passwd",
  ])("serves nothing else: %s", async (url) => {
    const get = await served();
    expect((await get(url)).status).toBe(404);
  });

  it("answers GET alone", async () => {
    const get = await served();
    expect((await get("app://keystone/", "POST")).status).toBe(405);
  });
});

describe("a path handed over by the system", () => {
  it("is a model where it is a folder, a plan where its name says so, and nothing otherwise", () => {
    writeFileSync(join(folder, "a.keystone-plan"), "{}");
    writeFileSync(join(folder, "b.JSON"), "{}");
    writeFileSync(join(folder, "c.exe"), "");
    expect(commandForPath(folder)).toEqual({ type: "open-model", path: folder });
    expect(commandForPath(join(folder, "a.keystone-plan"))).toEqual({
      type: "open-plan",
      path: join(folder, "a.keystone-plan"),
    });
    expect(commandForPath(join(folder, "b.JSON"))?.type).toBe("open-plan");
    expect(commandForPath(join(folder, "c.exe"))).toBeNull();
    expect(commandForPath(join(folder, "not-there.json"))).toBeNull();
  });

  it("on the command line stands behind the executable, in development behind the app's folder, among switches", () => {
    expect(pathsOnCommandLine(["/keystone", "--no-sandbox", "/model"], true)).toEqual(["/model"]);
    expect(
      pathsOnCommandLine(["/electron", "--no-sandbox", "/repository", "--inspect=0", "/model"], false),
    ).toEqual(["/model"]);
    expect(pathsOnCommandLine(["/keystone", "model"], true)).toEqual([resolve("model")]);
    expect(pathsOnCommandLine(["/keystone"], true)).toEqual([]);
  });

  it("of a second instance is checked like any message", () => {
    expect(pathsOfSecondInstance({ paths: ["/model"] })).toEqual(["/model"]);
    for (const data of [
      null,
      undefined,
      "/model",
      { paths: "/model" },
      { paths: [1] },
      { paths: [""] },
      { paths: Array(65).fill("/x") },
    ])
      expect(pathsOfSecondInstance(data)).toEqual([]);
  });
});

describe("the menu", () => {
  const nothing = (): void => undefined;
  function entries(template: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] {
    return template.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? entries(item.submenu) : [])]);
  }
  const built = (
    sent: unknown[],
    platform: NodeJS.Platform,
    packaged = true,
  ): MenuItemConstructorOptions[] => {
    const actions = {
      send: (command: unknown) => void sent.push(command),
      openModel: nothing,
      openPlan: nothing,
      newWindow: nothing,
    };
    return entries(
      menuTemplate(actions, { platform, packaged, recent: [{ name: "Llama", path: "/models/llama" }] }),
    );
  };

  it.each(["linux", "darwin", "win32"] as const)(
    "on %s sends commands that the window knows, and no accelerator twice",
    (platform) => {
      const sent: unknown[] = [];
      const items = built(sent, platform);
      for (const item of items) item.click?.({} as never, undefined, {});
      expect(sent.length).toBeGreaterThan(8);
      for (const command of sent) expect(shellCommand.safeParse(command).success).toBe(true);
      const accelerators = items.flatMap((item) => item.accelerator ?? []);
      expect(new Set(accelerators).size).toBe(accelerators.length);
    },
  );

  it("opens a recent model", () => {
    const sent: unknown[] = [];
    built(sent, "linux")
      .find((item) => item.label === "Llama")
      ?.click?.({} as never, undefined, {});
    expect(sent).toEqual([{ type: "open-model", path: "/models/llama" }]);
  });

  it("has the development tools only while the app is not packaged", () => {
    const roles = (packaged: boolean): unknown[] => built([], "linux", packaged).map((item) => item.role);
    expect(roles(true)).not.toContain("toggleDevTools");
    expect(roles(false)).toContain("toggleDevTools");
  });

  it("quits on Linux and Windows, closes the window on macOS where the app's own menu quits", () => {
    expect(built([], "win32").map((item) => item.role)).toContain("quit");
    expect(built([], "darwin").map((item) => item.role)).toContain("appMenu");
  });
});

describe("the window's place", () => {
  const display = { x: 0, y: 0, width: 1920, height: 1080 };
  const file = (): string => join(folder, "deep/window.json");

  it("comes back as it was written", () => {
    const state = { x: 10, y: 20, width: 1300, height: 800, maximized: true };
    writeWindowState(file(), state);
    expect(readWindowState(file(), [display])).toEqual(state);
  });

  it("keeps its size but not its position where that display is gone", () => {
    writeWindowState(file(), { x: 5000, y: 20, width: 1300, height: 800, maximized: false });
    expect(readWindowState(file(), [display])).toEqual({ width: 1300, height: 800, maximized: false });
  });

  it.each(["", "[]", '{"width":1,"height":1,"maximized":false}', '{"width":1e9}'])(
    "is the first one where the file holds %j",
    (content) => {
      mkdirSync(join(folder, "deep"));
      writeFileSync(file(), content);
      expect(readWindowState(file(), [display])).toEqual({ width: 1440, height: 900, maximized: false });
    },
  );
});
