import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../test/support/syntheticCheckpoint.ts";
import { hashFile } from "./fileHash.ts";
import { nodeFileSystem } from "./nodeFileSystem.ts";

/** More pieces than the thread may be ahead. */
const BYTES = 300_000_001;

/** @param smallBytes 0: on a thread, Infinity: on this one */
const hash = (path: string, smallBytes: number, advance: (bytes: number) => void | Promise<void>) =>
  hashFile(path, () => nodeFileSystem.read(path), advance, smallBytes);

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), "file");
  await writeFile(path, bytes);
  return path;
}

describe("the hash of a file", () => {
  it("is SHA-256 of all its bytes, on a thread or not, and every byte is told of", async () => {
    const content = Buffer.alloc(BYTES, randomBytes(1009));
    const path = await fileOf(content);
    const expected = { bytes: BYTES, sha256: createHash("sha256").update(content).digest("hex") };
    for (const smallBytes of [0, Infinity]) {
      let told = 0;
      expect(await hash(path, smallBytes, (bytes) => void (told += bytes))).toEqual(expected);
      expect(told).toBe(BYTES);
    }
  });

  it.each([0, Infinity])(
    "ends with what is thrown at a piece (thread above %d bytes)",
    async (smallBytes) => {
      const path = await fileOf(new Uint8Array(9_000_000));
      let pieces = 0;
      const second = (): void => {
        if (++pieces === 2) throw new RangeError("enough");
      };
      await expect(hash(path, smallBytes, second)).rejects.toThrow("enough");
      expect(pieces).toBe(2);
    },
  );

  it("tells one piece at a time, and waits until it was heard", async () => {
    const path = await fileOf(new Uint8Array(9_000_000));
    let inside = 0;
    await hash(path, 0, async () => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    });
  });

  it("is the system's error where there is no such file, or one that cannot be read", async () => {
    const folder = await temporaryFolder();
    await expect(hash(join(folder, "none"), 0, () => undefined)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(hash(folder, 0, () => undefined)).rejects.toMatchObject({ code: "EISDIR" });
  });
});
