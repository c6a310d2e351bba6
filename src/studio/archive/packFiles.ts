import { setImmediate as breathe } from "node:timers/promises";
import { Zip, ZipDeflate } from "fflate";

/** So many bytes are deflated at a stretch: some milliseconds, after which windows are answered. */
const STRETCH = 256 * 1024;
const LEVEL = 6;

/** Writes a zip file by file, without holding up the thread. */
export class ZipPacker {
  readonly #zip: Zip;
  readonly #chunks: Uint8Array[] = [];
  #failure: Error | null = null;
  #bytes = 0;

  constructor() {
    this.#zip = new Zip((error, chunk) => {
      if (error) this.#failure = error;
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
    });
  }

  /** What is written so far, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  async add(name: string, content: Uint8Array, written: Date): Promise<void> {
    const file = new ZipDeflate(name, { level: LEVEL });
    file.mtime = written;
    this.#zip.add(file);
    for (let from = 0; from < content.length; from += STRETCH) {
      file.push(content.subarray(from, from + STRETCH), from + STRETCH >= content.length);
      await breathe();
    }
    if (content.length === 0) file.push(content, true);
    if (this.#failure) throw this.#failure;
  }

  end(): Uint8Array {
    this.#zip.end();
    if (this.#failure) throw this.#failure;
    return Buffer.concat(this.#chunks);
  }
}
