import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Why a request is turned away; the sentence is shown to the person, the status is 403 throughout. */
export type Refusal = "host" | "origin" | "token";

export const REFUSALS: Record<Refusal, string> = {
  host: "This address is not one that the studio was started for.",
  origin: "The request comes from another site.",
  token: "The token is missing or wrong. Open the address that keystone serve printed.",
};

const HTTP_PORT = 80;

/**
 * Decides who may talk to the server. The token comes once in the address; after that a cookie carries it.
 * Host is checked against the addresses the server was started for (DNS rebinding), Origin against the same
 * (another site's page in the same browser).
 */
export class Access {
  readonly token = randomBytes(32).toString("base64url");
  readonly #hosts: ReadonlySet<string>;
  readonly #cookieName: string;

  /** @param hosts names a browser may use for this server, without port */
  constructor(hosts: readonly string[], port: number) {
    const names = hosts.map((host) => (host.includes(":") ? `[${host}]` : host.toLowerCase()));
    // Browsers leave out HTTP's own port.
    this.#hosts = new Set(
      port === HTTP_PORT
        ? [...names, ...names.map((name) => `${name}:${port}`)]
        : names.map((name) => `${name}:${port}`),
    );
    // Cookies do not know ports: two studios on one machine must not overwrite each other's.
    this.#cookieName = `keystone_${port}`;
  }

  /** The header that stores the token in the browser: not readable by scripts, never sent by another site. */
  setCookie(): string {
    return `${this.#cookieName}=${this.token}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Whether the address itself carries the right token. */
  tokenInAddress(url: URL): boolean {
    return same(url.searchParams.get("token") ?? "", this.token);
  }

  /** Host and Origin; the first thing asked of every request. An upgrade must name its Origin. */
  refuseSource(request: IncomingMessage, upgrade: boolean): Refusal | null {
    const { host, origin } = request.headers;
    if (host === undefined || !this.#hosts.has(host.toLowerCase())) return "host";
    if (origin === undefined) return upgrade ? "origin" : null;
    return origin === `http://${host.toLowerCase()}` ? null : "origin";
  }

  refuseCookie(request: IncomingMessage): Refusal | null {
    const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
    const found = pairs.some(([name, value]) => name === this.#cookieName && same(value ?? "", this.token));
    return found ? null : "token";
  }
}

/** A request's address, or null where it is none (`//[`): Node hands on whatever was sent. */
export function requestUrl(request: IncomingMessage): URL | null {
  return URL.parse(request.url ?? "/", "http://localhost");
}

function same(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
