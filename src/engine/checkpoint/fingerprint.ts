import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { TensorInfo } from "#shared/model.ts";
import { fileSource, readFailedError, readRange, type ByteSource } from "#engine/files/byteSource.ts";

/** By what results of a model are found again. */
export interface Identity {
  /**
   * SHA-256 over the config, the tensor tables, the files' sizes and a sample of every tensor's bytes. The same for a copy; another
   * one for a model trained further. A change that no sampled byte shows, such as one weight of a large tensor, is not seen.
   */
  readonly fingerprint: string;
  /** SHA-256 over the fingerprint and when each file was last written: another one after every write, and for a copy. */
  readonly revision: string;
}

/** A tensor of at most so many bytes counts whole. */
const WHOLE_BYTES = 16_384;
/** Of a larger one so many stretches count, each in the middle of its equal part: what a disk reads at once anyway. */
const STRETCHES = 4;
const STRETCH_BYTES = 4096;
/** Tensors whose samples are read at once: a disk that answers late is waited for that much less often. */
const AT_ONCE = 16;

/** Identities of files that were not written since, by what else they hang on, so that opening a model again reads no weights. */
const known = new Map<string, Identity>();
const MAX_KNOWN = 64;

/**
 * Who a model is, from its headers and at most 16 KiB of each of its tensors.
 * @param folder where the shards lie
 * @throws KeystoneError checkpoint/read-failed
 */
export async function identify(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, TensorInfo>,
  shards: readonly { file: string; bytes: number }[],
): Promise<Identity> {
  const layout = createHash("sha256").update(JSON.stringify([config, shards]));
  for (const { name, dtype, shape, file, begin, end } of tensors.values())
    layout.update(JSON.stringify([name, dtype, shape, file, begin, end]));
  const table = layout.digest("hex");
  const written = await Promise.all(shards.map(({ file }) => lastWritten(folder, file)));
  const key = JSON.stringify([folder, table, written]);
  const before = known.get(key);
  if (before) return before;

  const sample = createHash("sha256").update(table);
  for (const { file, bytes } of shards) {
    const source = fileSource(join(folder, file), bytes);
    try {
      const stored = [...tensors.values()].filter((tensor) => tensor.file === file);
      for (let i = 0; i < stored.length; i += AT_ONCE) {
        const parts = await Promise.all(
          stored.slice(i, i + AT_ONCE).map((tensor) => sampled(source, tensor)),
        );
        for (const part of parts.flat()) sample.update(part);
      }
    } finally {
      await source.close();
    }
  }
  const fingerprint = sample.digest("hex");
  const revision = createHash("sha256")
    .update(JSON.stringify([fingerprint, written]))
    .digest("hex");
  remember(key, { fingerprint, revision });
  return { fingerprint, revision };
}

/**
 * When a file was written and when it was put where it is, in nanoseconds since 1970: a file moved into another's place keeps
 * the first. Not its number, which some file systems give anew whenever they are mounted.
 */
async function lastWritten(folder: string, file: string): Promise<string> {
  const found = await stat(join(folder, file), { bigint: true }).catch((cause: unknown) => {
    throw readFailedError(file, cause);
  });
  return `${found.mtimeNs} ${found.ctimeNs}`;
}

function sampled(source: ByteSource, { begin, end }: TensorInfo): Promise<Uint8Array[]> {
  const bytes = end - begin;
  if (bytes <= WHOLE_BYTES) return Promise.all([readRange(source, begin, end)]);
  const part = bytes / STRETCHES;
  return Promise.all(
    Array.from({ length: STRETCHES }, (_, i) => {
      const from = begin + Math.floor((i + 0.5) * part - STRETCH_BYTES / 2);
      return readRange(source, from, from + STRETCH_BYTES);
    }),
  );
}

function remember(key: string, identity: Identity): void {
  const [oldest] = known.keys();
  if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(key, identity);
}
