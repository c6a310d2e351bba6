import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { afterwards, ask, Line, serveStudio, upgradeStatus } from "./serving.ts";

const isEvent = (message: unknown): message is NumberedEvent =>
  typeof message === "object" && message !== null && "seq" in message;

describe("the upgrade to a WebSocket", () => {
  it("needs the path, the Origin and the cookie", async () => {
    const site = await serveStudio();
    const good = { Origin: site.origin, Cookie: site.cookie };
    expect(await upgradeStatus(site.port, "/socket", good)).toBe(101);
    expect(await upgradeStatus(site.port, "/", good)).toBe(404);
    expect(await upgradeStatus(site.port, "/socket/../x", good)).toBe(404);
    expect(await upgradeStatus(site.port, "/socket", { Origin: site.origin })).toBe(403);
    expect(await upgradeStatus(site.port, "/socket", { Cookie: site.cookie })).toBe(403);
    expect(await upgradeStatus(site.port, `/socket?token=${site.token}`, { Origin: site.origin })).toBe(403);
  });

  it.each(["http://evil.example", "https://127.0.0.1", "null", "app://keystone"])(
    "is refused to the origin %s with a valid cookie",
    async (origin) => {
      const site = await serveStudio();
      expect(await upgradeStatus(site.port, "/socket", { Origin: origin, Cookie: site.cookie })).toBe(403);
    },
  );

  it("is refused for another host name, whatever the Origin says", async () => {
    const site = await serveStudio();
    const host = `evil.example:${site.port}`;
    expect(
      await upgradeStatus(site.port, "/socket", {
        Host: host,
        Origin: `http://${host}`,
        Cookie: site.cookie,
      }),
    ).toBe(403);
  });
});

describe("a conversation", () => {
  it("answers calls by their id, several at once", async () => {
    const line = await Line.connect(await serveStudio());
    const byId =
      (id: number) =>
      (message: unknown): message is { id: number; reply: Record<string, unknown> } =>
        typeof message === "object" && message !== null && "id" in message && message.id === id;
    for (const [id, call] of [
      [1, "app:info"],
      [2, "settings:get"],
      [3, "job:list"],
    ] as const)
      line.socket.send(JSON.stringify({ id, call }));
    expect((await line.wait(byId(3))).reply).toEqual([]);
    expect((await line.wait(byId(2))).reply).toHaveProperty("theme");
    expect((await line.wait(byId(1))).reply).toHaveProperty("shell");
  });

  it("is closed when a message is longer than any real one, and the next connection works", async () => {
    const site = await serveStudio();
    const line = await Line.connect(site);
    const closed = new Promise<number>((resolve) => line.socket.on("close", (code) => resolve(code)));
    line.socket.send(Buffer.alloc(33 * 1024 * 1024, 0x20));
    expect([1006, 1009]).toContain(await closed);
    const next = await Line.connect(site);
    expect(await next.exchange(JSON.stringify({ id: 1, call: "job:list" }))).toEqual({ id: 1, reply: [] });
  });

  it("reaches every window with the same events in the same order", async () => {
    const site = await serveStudio();
    const lines = [await Line.connect(site), await Line.connect(site)];
    for (const theme of ["dark", "light", "system"] as const)
      await site.studio.call("settings:set", { theme });
    for (const line of lines) {
      await line.wait(
        (message): message is NumberedEvent =>
          isEvent(message) && message.event.type === "settings" && message.event.settings.theme === "system",
      );
      const themes = line.received
        .filter(isEvent)
        .flatMap(({ event }) => (event.type === "settings" ? [event.settings.theme] : []));
      expect(themes).toEqual(["dark", "light", "system"]);
    }
  });

  it("taken up again after a break catches up with what happened meanwhile", async () => {
    const site = await serveStudio();
    const first = await Line.connect(site);
    await site.studio.call("settings:set", { theme: "dark" });
    const { seq } = await first.wait(isEvent);
    first.socket.close();
    await site.studio.call("settings:set", { theme: "light" });
    await site.studio.call("settings:set", { density: "compact" });

    const second = await Line.connect(site);
    const answer = (await second.exchange(
      JSON.stringify({ id: 1, call: "events:since", args: { seq } }),
    )) as { reply: { events: NumberedEvent[]; complete: boolean } };
    expect(answer.reply.complete).toBe(true);
    expect(answer.reply.events.map((event) => event.seq)).toEqual([seq + 1, seq + 2]);
    await site.studio.call("settings:set", { density: "normal" });
    expect((await second.wait(isEvent)).seq).toBe(seq + 3);
  });

  it("that breaks off in the middle of a message or an upgrade leaves the server running", async () => {
    const site = await serveStudio();
    for (let i = 0; i < 20; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${site.port}/${i % 2 ? "socket" : "elsewhere"}`, {
        headers: { Origin: site.origin, Cookie: site.cookie },
      });
      afterwards(() => socket.terminate());
      await new Promise<void>((resolve) => {
        socket
          .on("error", () => resolve())
          .on("open", () => {
            socket.send('{"id":1,"call":"app:info"}');
            socket.terminate();
            resolve();
          });
      });
    }
    expect((await ask(site.port, "/", { headers: { Cookie: site.cookie } })).status).toBe(200);
  });

  it("ends with the server", async () => {
    const site = await serveStudio();
    const line = await Line.connect(site);
    const closed = new Promise<void>((resolve) => line.socket.on("close", () => resolve()));
    await site.close();
    await closed;
    await expect(ask(site.port, "/")).rejects.toThrow("ECONNREFUSED");
  });
});
