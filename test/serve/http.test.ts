import { describe, expect, it } from "vitest";
import { CONTENT_SECURITY_POLICY } from "#shared/windowFiles.ts";
import { isLoopback } from "../../src/serve/index.ts";
import { ask, askRaw, serveStudio } from "./serving.ts";

describe("the token", () => {
  it("is exchanged once for a cookie that scripts cannot read and other sites cannot send", async () => {
    const site = await serveStudio();
    const { status, headers } = await ask(site.port, `/?token=${site.token}`);
    expect(status).toBe(303);
    expect(headers.location).toBe("/");
    expect(headers["set-cookie"]?.[0]).toMatch(
      /^keystone_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(headers["referrer-policy"]).toBe("no-referrer");
  });

  it.each(["wrong", "", "x".repeat(10_000), "%00", "é"])("that is wrong gets 403: %j", async (token) => {
    const site = await serveStudio();
    const { status, headers, body } = await ask(site.port, `/?token=${encodeURIComponent(token)}`, {
      headers: { Cookie: site.cookie },
    });
    expect(status).toBe(403);
    expect(headers["set-cookie"]).toBeUndefined();
    expect(body).toContain("token");
  });

  it("differs from start to start", async () => {
    expect((await serveStudio()).token).not.toBe((await serveStudio()).token);
  });
});

describe("the cookie", () => {
  it("opens the window's files", async () => {
    const site = await serveStudio();
    const page = await ask(site.port, "/", { headers: { Cookie: site.cookie } });
    expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    const script = await ask(site.port, "/assets/main-abc.js", {
      headers: { Cookie: `other=1; ${site.cookie}` },
    });
    expect([script.status, script.body]).toEqual([200, "export {};"]);
  });

  it.each([undefined, "", "keystone=1", "keystone_1=wrong", "="])(
    "that is missing or wrong gets 403: %j",
    async (cookie) => {
      const site = await serveStudio();
      const { status } = await ask(
        site.port,
        "/",
        cookie === undefined ? {} : { headers: { Cookie: cookie } },
      );
      expect(status).toBe(403);
    },
  );

  it("of another studio on this machine opens nothing", async () => {
    const site = await serveStudio();
    const other = await serveStudio();
    expect((await ask(site.port, "/", { headers: { Cookie: other.cookie } })).status).toBe(403);
  });
});

describe("Host and Origin", () => {
  it.each(["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "169.254.169.254"])(
    "a request for the host %j gets 403, even with the cookie",
    async (host) => {
      const site = await serveStudio();
      expect((await ask(site.port, "/", { headers: { Host: host, Cookie: site.cookie } })).status).toBe(403);
    },
  );

  it("a request for localhost on the right port is answered", async () => {
    const site = await serveStudio();
    expect(
      (await ask(site.port, "/", { headers: { Host: `LocalHost:${site.port}`, Cookie: site.cookie } }))
        .status,
    ).toBe(200);
  });

  it.each(["https://evil.example", "null", "http://127.0.0.1", "file://", ""])(
    "a request from the origin %j gets 403, even with the cookie and the token",
    async (origin) => {
      const site = await serveStudio();
      for (const path of ["/", `/?token=${site.token}`]) {
        expect(
          (await ask(site.port, path, { headers: { Origin: origin, Cookie: site.cookie } })).status,
        ).toBe(403);
      }
    },
  );
});

describe("what is served", () => {
  it.each([
    "/../package.json",
    "/assets/../../keystone.sqlite",
    "/%2e%2e/keystone.sqlite",
    "/..%2fkeystone.sqlite",
    "/assets",
    "/%00",
    "//etc/passwd",
    "/C:/Windows/win.ini",
    "/__proto__",
    "/index.html%00.js",
  ])("only files of the built window: %s is not found", async (path) => {
    const site = await serveStudio();
    expect((await ask(site.port, path, { headers: { Cookie: site.cookie } })).status).toBe(404);
  });

  it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s gets 405", async (method) => {
    const site = await serveStudio();
    const { status, headers } = await ask(site.port, "/", { method, headers: { Cookie: site.cookie } });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  it("HEAD answers with headers alone", async () => {
    const site = await serveStudio();
    const { status, body } = await ask(site.port, "/", { method: "HEAD", headers: { Cookie: site.cookie } });
    expect([status, body]).toEqual([200, ""]);
  });

  it("carries the policy and the headers that keep other sites out, refusals as well", async () => {
    const site = await serveStudio();
    for (const headers of [{ Cookie: site.cookie }, {}]) {
      const answer = await ask(site.port, "/", { headers });
      expect(answer.headers).toMatchObject({
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
      });
    }
    expect(CONTENT_SECURITY_POLICY).toContain("script-src 'self'");
    expect(CONTENT_SECURITY_POLICY).not.toContain("unsafe-eval");
  });
});

describe("addresses and bytes that are no requests", () => {
  it.each([
    [
      "an address that is none",
      (host: string, cookie: string) =>
        `GET //[ HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1.1 400/,
    ],
    [
      "no Host at all",
      (_host: string, cookie: string) => `GET / HTTP/1.0\r\nCookie: ${cookie}\r\n\r\n`,
      /^HTTP\/1.1 403/,
    ],
    [
      "two lengths",
      (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      /^HTTP\/1.1 400/,
    ],
    ["no HTTP", () => "\u0016\u0003\u0001 hello\r\n\r\n", /^HTTP\/1.1 400/],
    [
      "an upgrade to an address that is none",
      (host: string) =>
        `GET //[ HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      /^HTTP\/1.1 404/,
    ],
  ])("%s: refused, and the server goes on", async (_name, bytes, expected) => {
    const site = await serveStudio();
    expect(await askRaw(site.port, bytes(`127.0.0.1:${site.port}`, site.cookie))).toMatch(expected);
    expect((await ask(site.port, "/", { headers: { Cookie: site.cookie } })).status).toBe(200);
  });
});

it("listens on loopback where nobody asked for more", async () => {
  expect(["127.0.0.1", "localhost", "::1", "127.1.2.3"].map(isLoopback)).toEqual([true, true, true, true]);
  expect(["0.0.0.0", "::", "192.168.1.2", "128.0.0.1"].map(isLoopback)).toEqual([false, false, false, false]);
});
