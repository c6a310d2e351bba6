import { createHash } from "node:crypto";
import { on } from "node:events";
import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { FileHash } from "./fileSystem.ts";

/** Files up to this size are hashed where they are asked for: a thread would cost more. */
const SMALL_BYTES = 64 * 1024 * 1024;
/** Bytes hashed at once, and how many such pieces the thread may be ahead of who asked. */
const PIECE_BYTES = 4 * 1024 * 1024;
const PIECES_AHEAD = 64;

/** The thread reads and hashes by itself. It runs from this text, so that sources and bundles need no file for it. */
const THREAD = `
const { createHash } = require("node:crypto");
const { closeSync, openSync, readSync } = require("node:fs");
const { parentPort, workerData: { path, allowed, pieceBytes } } = require("node:worker_threads");
const hash = createHash("sha256");
const piece = new Uint8Array(pieceBytes);
const file = openSync(path, "r");
for (let done = 0, bytes; (bytes = readSync(file, piece, 0, pieceBytes, null)) > 0; done++) {
  hash.update(piece.subarray(0, bytes));
  parentPort.postMessage({ bytes });
  for (let most; (most = Atomics.load(allowed, 0)) <= done; ) Atomics.wait(allowed, 0, most);
}
closeSync(file);
parentPort.postMessage({ sha256: hash.digest("hex") });
`;

const message = z.union([z.object({ bytes: z.number() }), z.object({ sha256: z.string() })]);

/**
 * SHA-256 of a file, of a large one on a thread of its own.
 * @param chunks its bytes, for one that is hashed here
 * @param advance told of every piece; what it throws ends the work
 * @param smallBytes the largest file that is hashed on this thread
 * @throws the system's error
 */
export async function hashFile(
  path: string,
  chunks: () => AsyncIterable<Uint8Array>,
  advance: (bytes: number) => void | Promise<void>,
  smallBytes = SMALL_BYTES,
): Promise<FileHash> {
  return (await stat(path)).size > smallBytes ? hashOnThread(path, advance) : hashHere(chunks(), advance);
}

async function hashHere(
  chunks: AsyncIterable<Uint8Array>,
  advance: (bytes: number) => void | Promise<void>,
): Promise<FileHash> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await advance(chunk.byteLength);
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function hashOnThread(
  path: string,
  advance: (bytes: number) => void | Promise<void>,
): Promise<FileHash> {
  const allowed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  allowed[0] = PIECES_AHEAD;
  const workerData = { path, allowed, pieceBytes: PIECE_BYTES };
  const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData });
  // what it says after nobody listens any more, while it is being ended, is nobody's failure
  thread.on("error", () => undefined);
  let bytes = 0;
  try {
    for await (const [said] of on(thread, "message", { close: ["exit"] })) {
      const heard = message.parse(said);
      if ("sha256" in heard) return { bytes, sha256: heard.sha256 };
      bytes += heard.bytes;
      await advance(heard.bytes);
      Atomics.add(allowed, 0, 1);
      Atomics.notify(allowed, 0);
    }
  } finally {
    await thread.terminate();
  }
  throw new Error("the thread that hashed the file ended early");
}
