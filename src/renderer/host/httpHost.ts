import type { Args, CallName, Host, Reply } from "#shared/contract/contract.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { errorFrom, Listeners } from "./transport.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;

/** The part of WebSocket that is used, so that a test can stand in for it. */
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: KeystoneError): void;
  text: string;
  sent: boolean;
}

/**
 * The studio behind `keystone serve`: one WebSocket, JSON messages matched by id. A lost connection is taken up again
 * with growing pauses; calls made meanwhile wait, calls that were on their way fail with `connection/lost`.
 */
export class HttpHost implements Host {
  readonly #connect: () => Socket;
  readonly #events = new Listeners<NumberedEvent>();
  readonly #states = new Listeners<"open" | "lost">();
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | null = null;
  #state: "open" | "lost" | "connecting" = "connecting";
  #nextId = 1;
  #retryMs = FIRST_RETRY_MS;

  constructor(connect: () => Socket) {
    this.#connect = connect;
    this.#open();
  }

  call<C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>> {
    const id = this.#nextId++;
    const text = JSON.stringify({ id, call: name, args });
    return new Promise<Reply<C>>((resolve, reject) => {
      const pending: Pending = { resolve: (reply) => resolve(reply as Reply<C>), reject, text, sent: false };
      this.#pending.set(id, pending);
      if (this.#state === "open") this.#send(pending);
    });
  }

  subscribe(listener: (event: NumberedEvent) => void): () => void {
    return this.#events.add(listener);
  }

  onConnection(listener: (state: "open" | "lost") => void): () => void {
    if (this.#state !== "connecting") listener(this.#state);
    return this.#states.add(listener);
  }

  #open(): void {
    const socket = this.#connect();
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#state = "open";
      for (const pending of this.#pending.values()) this.#send(pending);
      this.#states.emit("open");
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#lost();
  }

  #lost(): void {
    this.#socket = null;
    if (this.#state !== "lost") {
      this.#state = "lost";
      this.#states.emit("lost");
    }
    for (const [id, pending] of this.#pending) {
      if (!pending.sent) continue;
      this.#pending.delete(id);
      pending.reject(
        new KeystoneError(
          "connection/lost",
          "The connection to the studio was lost before it answered.",
          "Work that was running goes on; try again once the connection is back.",
        ),
      );
    }
    setTimeout(() => this.#open(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #send(pending: Pending): void {
    this.#socket?.send(pending.text);
    pending.sent = true;
  }

  #receive(data: unknown): void {
    const message = readMessage(data);
    if (message === null) return;
    if ("event" in message) {
      this.#events.emit(message as unknown as NumberedEvent);
      return;
    }
    const pending = typeof message["id"] === "number" ? this.#pending.get(message["id"]) : undefined;
    if (!pending) return;
    this.#pending.delete(message["id"] as number);
    if ("error" in message) pending.reject(errorFrom(message["error"]));
    else pending.resolve(message["reply"]);
  }
}

/** A message is one JSON object; anything else is dropped. */
function readMessage(data: unknown): Record<string, unknown> | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Opens the studio's socket beside the page that was served. */
export function openSocket(): Socket {
  const url = new URL("/socket", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  const wrapped: Socket = {
    send: (text) => socket.send(text),
    close: () => socket.close(),
    onopen: null,
    onclose: null,
    onmessage: null,
  };
  socket.onopen = () => wrapped.onopen?.();
  socket.onclose = () => wrapped.onclose?.();
  socket.onmessage = (message: MessageEvent<unknown>) => wrapped.onmessage?.({ data: message.data });
  return wrapped;
}
