import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { toErrorData } from "#shared/errors.ts";
import { answerMessage } from "#studio/answerMessage.ts";
import type { Studio } from "#studio/context/studio.ts";
import { requestUrl, type Refusal } from "./access.ts";

/** Longest message accepted, in bytes: a plan of 100,000 recipes fits, a flood does not. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** Bytes waiting for a slow window before events are left out; it sees the gap in `seq` and asks for them. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Speaks the contract over WebSocket at `/socket`; requests are turned away before the upgrade. */
export function attachSocket(
  server: Server,
  studio: Studio,
  refuse: (request: IncomingMessage) => Refusal | null,
): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });

  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // Nobody else listens here until the upgrade is made; a reset connection must not end the process.
    stream.on("error", () => stream.destroy());
    const elsewhere = requestUrl(request)?.pathname !== "/socket";
    if (elsewhere || refuse(request) !== null) {
      stream.end(
        `HTTP/1.1 ${elsewhere ? "404 Not Found" : "403 Forbidden"}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => converse(socket, studio));
  });

  const stop = studio.on((event) => {
    const text = JSON.stringify(event satisfies NumberedEvent);
    for (const socket of sockets.clients) {
      if (socket.readyState === socket.OPEN && socket.bufferedAmount < MAX_WAITING_BYTES) socket.send(text);
    }
  });
  return () => {
    stop();
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  };
}

function converse(socket: WebSocket, studio: Studio): void {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data, binary) => {
    void answer(studio, data, binary).then((text) => {
      if (socket.readyState === socket.OPEN) socket.send(text);
    });
  });
}

async function answer(studio: Studio, data: RawData, binary: boolean): Promise<string> {
  try {
    const message: unknown = binary ? null : JSON.parse(textOf(data));
    return JSON.stringify(await answerMessage(studio, message));
  } catch (thrown) {
    const error =
      thrown instanceof SyntaxError
        ? {
            code: "usage/invalid-message",
            message: "The message is not JSON.",
            next: "Reload the window.",
            details: {},
          }
        : toErrorData(thrown);
    return JSON.stringify({ id: null, error });
  }
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer)).toString("utf8");
}
