import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { readManifest } from "#engine/export/card/manifestFiles.ts";
import type { Verified } from "#shared/verification.ts";
import { cancelledError, KeystoneError } from "#shared/errors.ts";
import { bench, besideTarget, exportTo, RECIPE, tree, variantOf, verifying } from "./exporting.ts";
import { faultyFileSystem, systemError, type Faults } from "./faultyFileSystem.ts";

/** Fails one operation, the n-th of its kind. */
function failing(operation: string, code: string, nth = 1): Faults {
  return {
    before: (now, _path, count) => {
      if (now === operation && count === nth) throw systemError(code);
    },
  };
}

describe("a disk that refuses", () => {
  const cases: [string, Faults, string, RegExp][] = [
    [
      "is full in the middle of a shard",
      failing("write", "ENOSPC", 6),
      "export/disk-full",
      /needs [\d,]+ bytes, [\d,]+ bytes are free/,
    ],
    ["has no quota left", failing("write", "EDQUOT", 3), "export/disk-full", /too little room/],
    ["is full on flushing", failing("sync", "ENOSPC", 2), "export/disk-full", /flushing model\.safetensors/],
    ["is full on closing", failing("close", "ENOSPC", 2), "export/disk-full", /closing model\.safetensors/],
    [
      "is full on making the folder",
      failing("makeFolder", "ENOSPC"),
      "export/disk-full",
      /making the folder/,
    ],
    ["is read-only", failing("makeFolder", "EROFS"), "export/read-only", /read-only/],
    ["is read-only for files", failing("create", "EROFS"), "export/read-only", /read-only/],
    [
      "does not let people write there",
      failing("makeFolder", "EACCES"),
      "export/not-permitted",
      /does not let you write/,
    ],
    [
      "does not let people make files",
      failing("create", "EPERM", 2),
      "export/not-permitted",
      /does not let you write/,
    ],
    ["fails while flushing", failing("sync", "EIO", 2), "export/disk-failed", /input\/output error/],
    ["fails while writing", failing("write", "EIO", 4), "export/disk-failed", /writing model\.safetensors/],
    [
      "fails while reading the source",
      failing("read", "EIO"),
      "export/disk-failed",
      /reading model\.safetensors/,
    ],
    [
      "fails while flushing the folder",
      failing("syncFolder", "EIO"),
      "export/disk-failed",
      /flushing the folder/,
    ],
    [
      "fails while flushing the rename",
      failing("syncFolder", "EIO", 2),
      "export/disk-failed",
      /flushing the folder/,
    ],
    ["refuses the rename", failing("rename", "EBUSY"), "export/in-use", /another program/],
    [
      "has something there by the time of the rename",
      failing("rename", "ENOTEMPTY"),
      "export/exists",
      /already holds/,
    ],
    ["vanishes", failing("write", "ENODEV", 2), "export/disk-failed", /is gone/],
    ["gives an error nobody knows", failing("write", "EWHATEVER", 2), "export/write-failed", /EWHATEVER/],
    [
      "has too few bytes from the start",
      { freeBytes: 1_000 },
      "export/disk-full",
      /needs [\d,]+ bytes, 1,000 bytes are free/,
    ],
    ["cannot say how much is free", { freeBytes: Number.NaN }, "export/disk-full", /needs/],
  ];
  for (const [how, faults, code, sentence] of cases) {
    it(`that ${how} gives ${code} and leaves nothing`, async () => {
      const made = await bench({ files: { "tokenizer.json": "{}" } });
      const before = await tree(made.folder);
      const error = await exportTo(made, { fileSystem: faultyFileSystem(faults) }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(KeystoneError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(sentence) as unknown });
      expect(await tree(made.folder)).toEqual(before);
    });
  }

  it("that takes a few bytes at a time still gets all of them", async () => {
    const made = await bench();
    await exportTo(made, { fileSystem: faultyFileSystem({ writeLimit: 7 }) });
    const whole = { ...made, out: join(made.folder, "whole") };
    await exportTo(whole);
    const [slow, fast] = await Promise.all(
      [made, whole].map(({ out }) => readFile(join(out, "model.safetensors"))),
    );
    expect(slow.equals(fast)).toBe(true);
  });

  it("that takes nothing and says nothing ends the export instead of hanging", async () => {
    const made = await bench();
    await expect(exportTo(made, { fileSystem: faultyFileSystem({ writeLimit: 0 }) })).rejects.toMatchObject({
      code: "export/write-failed",
    });
    expect(await besideTarget(made)).toEqual(["model"]);
  });

  it("that gives back other bytes than it was given ends the export, and nothing is left", async () => {
    const made = await bench({ storage: "F32" });
    const verify = async (folder: string): Promise<Verified> => {
      const file = join(folder, "model.safetensors");
      const bytes = await readFile(file);
      bytes[bytes.byteLength - 1] ^= 1;
      await writeFile(file, bytes);
      return verifying(made, "safetensors")(folder);
    };
    await expect(exportTo(made, { verify })).rejects.toMatchObject({ code: "export/differs" });
    expect(await besideTarget(made)).toEqual(["model"]);
  });

  it("leaves the earlier export as it was where the one to replace it does not verify", async () => {
    const made = await bench();
    await exportTo(made);
    const { created } = await readManifest(made.out);
    const verify = () => Promise.reject(cancelledError());
    await expect(exportTo(made, { overwrite: true, verify })).rejects.toMatchObject({
      code: "job/cancelled",
    });
    expect((await readManifest(made.out)).created).toBe(created);
    expect(await besideTarget(made)).toEqual(["export", "model"]);
  });
});

describe("a target that must not be touched", () => {
  it("is refused when it holds anything, and stays as it is", async () => {
    const made = await bench();
    await mkdir(made.out);
    await writeFile(join(made.out, "notes.txt"), "mine");
    await expect(exportTo(made)).rejects.toMatchObject({ code: "export/exists" });
    await expect(exportTo(made, { overwrite: true })).rejects.toMatchObject({ code: "export/not-an-export" });
    expect(await readFile(join(made.out, "notes.txt"), "utf8")).toBe("mine");
    await writeFile(join(made.out, "keystone.json"), "{}");
    await expect(exportTo(made, { overwrite: true })).rejects.toMatchObject({ code: "export/not-an-export" });
    expect(await tree(made.out)).toEqual(["keystone.json", "notes.txt"]);
    expect(await besideTarget(made)).toEqual(["export", "model"]);
  });

  it("may give way when another version of Keystone exported it, whose record says more or less", async () => {
    const made = await bench();
    await exportTo(made);
    const file = join(made.out, "keystone.json");
    const { manifestVersion, files } = await readManifest(made.out);
    await writeFile(file, JSON.stringify({ manifestVersion, files, later: "field" }));
    await exportTo(made, { overwrite: true });
    expect((await readManifest(made.out)).recipeId).toBe(made.variant.recipeId);
  });

  it("is refused when it is a file, even to be overwritten", async () => {
    const made = await bench();
    await writeFile(made.out, "mine");
    await expect(exportTo(made, { overwrite: true })).rejects.toMatchObject({ code: "export/not-a-folder" });
  });

  it("is refused when it is, lies in, or holds the source, also through a link", async () => {
    const made = await bench();
    const link = join(made.folder, "link");
    await symlink(made.checkpoint.path, link);
    for (const out of [
      made.checkpoint.path,
      join(made.checkpoint.path, "new"),
      made.folder,
      link,
      join(link, "deep", "new"),
    ]) {
      await expect(exportTo({ ...made, out }, { overwrite: true })).rejects.toMatchObject({
        code: "export/into-source",
      });
    }
  });

  it("is refused when something appears there while the export runs", async () => {
    const made = await bench();
    let appeared = false;
    const control = {
      report: () => undefined,
      check: async () => {
        if (appeared) return;
        appeared = true;
        await mkdir(made.out);
        await writeFile(join(made.out, "notes.txt"), "mine");
      },
    };
    await expect(exportTo(made, { control })).rejects.toMatchObject({ code: "export/exists" });
    expect(await tree(made.out)).toEqual(["notes.txt"]);
    expect(await besideTarget(made)).toEqual(["export", "model"]);
  });
});

describe("replacing an earlier export", () => {
  const OTHER = { ...RECIPE, bits: 5 };

  it("puts the new one in its place and leaves no trace of the old", async () => {
    const made = await bench();
    await exportTo(made);
    const variant = variantOf(made.checkpoint, OTHER);
    await exportTo({ ...made, variant }, { overwrite: true });
    expect((await readManifest(made.out)).recipeId).toBe(variant.recipeId);
    expect(await besideTarget(made)).toEqual(["export", "model"]);
  });

  it("keeps the old one whole when any step fails", async () => {
    const made = await bench();
    await exportTo(made);
    const before = await tree(made.folder);
    const faults = [
      failing("write", "ENOSPC", 5),
      failing("rename", "EIO"),
      failing("rename", "EIO", 2),
      failing("syncFolder", "EIO", 2),
    ];
    for (const fault of faults) {
      const next = { ...made, variant: variantOf(made.checkpoint, OTHER) };
      await expect(
        exportTo(next, { overwrite: true, fileSystem: faultyFileSystem(fault) }),
      ).rejects.toBeInstanceOf(KeystoneError);
      expect(await tree(made.folder)).toEqual(before);
      expect((await readManifest(made.out)).recipeId).toBe(made.variant.recipeId);
    }
  });
});

describe("weights that no export may carry", () => {
  for (const [where, tensor] of [
    ["a quantized tensor", "model.layers.0.mlp.up_proj.weight"],
    ["a tensor that is kept", "lm_head.weight"],
  ] as const) {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`${value} in ${where} is refused with the tensor's name`, async () => {
        const made = await bench({ storage: "BF16", plant: [{ tensor, row: 1, column: 2, value }] });
        const error = await exportTo(made).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "checkpoint/not-finite", details: { tensor } });
        expect(await besideTarget(made)).toEqual(["model"]);
      });
    }
  }

  it("a source that shrank since it was opened is refused", async () => {
    const made = await bench();
    const file = join(made.checkpoint.path, "model.safetensors");
    await writeFile(file, (await readFile(file)).subarray(0, 500));
    await expect(exportTo(made)).rejects.toMatchObject({ code: "checkpoint/changed" });
    expect(await besideTarget(made)).toEqual(["model"]);
  });

  it("the source is the same before and after", async () => {
    const made = await bench();
    const before = await readFile(join(made.checkpoint.path, "model.safetensors"));
    await exportTo(made);
    expect((await readFile(join(made.checkpoint.path, "model.safetensors"))).equals(before)).toBe(true);
    await (await openCheckpoint(made.checkpoint.path)).close();
  });
});
