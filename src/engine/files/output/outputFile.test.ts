import { describe, expect, it } from "vitest";
import type { WritableFile } from "./fileSystem.ts";
import { nodeFileSystem } from "./nodeFileSystem.ts";
import { writeFile } from "./outputFile.ts";

const PIECE = new Uint8Array(8 * 1024 * 1024);
const PIECES = 100;

/** A disk that keeps nothing and says what it was asked, in order. */
function forgetfulDisk(flush: (count: number) => Promise<void>) {
  const asked: string[] = [];
  let [flushing, flushes] = [0, 0];
  const file: WritableFile = {
    write: async (bytes) => {
      asked.push("write");
      return bytes.byteLength;
    },
    sync: async () => {
      expect(++flushing, "flushes at a time").toBe(1);
      asked.push("flush");
      await flush(++flushes).finally(() => flushing--);
      asked.push("flushed");
    },
    close: async () => {
      expect(flushing, "flushes while it is closed").toBe(0);
      asked.push("close");
    },
  };
  const fileSystem = { ...nodeFileSystem, create: async () => file, freeBytes: async () => Infinity };
  return { asked, disk: { fileSystem, folder: "/", needed: 0 } };
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

async function writePieces(disk: Parameters<typeof writeFile>[0]): Promise<unknown> {
  return writeFile(disk, "file", "/file", async (append) => {
    for (let i = 0; i < PIECES; i++) {
      await append(PIECE);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
}

describe("a large file", () => {
  it("is flushed while it is written, and once more at its end", async () => {
    const { asked, disk } = forgetfulDisk(later);
    expect(await writePieces(disk)).toMatchObject({ bytes: PIECES * PIECE.byteLength });
    expect(asked.indexOf("flush")).toBeLessThan(asked.lastIndexOf("write"));
    expect(asked.slice(-3)).toEqual(["flush", "flushed", "close"]);
  });

  it("ends with the error of a flush, and is closed after it", async () => {
    const { asked, disk } = forgetfulDisk(async () => {
      await later();
      throw Object.assign(new Error("EIO: injected"), { code: "EIO" });
    });
    await expect(writePieces(disk)).rejects.toMatchObject({ code: "export/disk-failed" });
    expect(asked.at(-1)).toBe("close");
    expect(asked.filter((what) => what === "write").length).toBeLessThan(PIECES);
  });

  it("waits for a flush that is going on where its content fails", async () => {
    const { asked, disk } = forgetfulDisk(later);
    const failing = writeFile(disk, "file", "/file", async (append) => {
      for (let i = 0; i < 40; i++) await append(PIECE);
      throw new RangeError("no more");
    });
    await expect(failing).rejects.toThrow("no more");
    expect(asked.slice(-2)).toEqual(["flushed", "close"]);
  });
});
