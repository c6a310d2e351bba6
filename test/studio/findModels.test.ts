import { cpSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { findModels } from "#studio/models/findModels.ts";
import { modelCaches } from "#studio/models/modelCaches.ts";
import { DEMO, startStudio, temporaryFolder } from "./helpers.ts";

const NAMES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/** A file of the hub's layout: a link in a snapshot to a blob. */
function plant(repository: string, revision: string, name: string, from: string | number): void {
  const blob = join(repository, "blobs", `${revision}-${basename(name)}`);
  const link = join(repository, "snapshots", revision, name);
  for (const path of [blob, link]) mkdirSync(dirname(path), { recursive: true });
  if (typeof from === "string") cpSync(from, blob);
  else writeFileSync(blob, Buffer.alloc(from));
  symlinkSync(join("..", "..", "blobs", basename(blob)), link);
}

function setMain(repository: string, revision: string): void {
  mkdirSync(join(repository, "refs"), { recursive: true });
  writeFileSync(join(repository, "refs", "main"), revision);
}

function file(path: string, bytes: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
}

describe("the caches of other programs", () => {
  it("are where their own variables say, else in their usual places", () => {
    const folders = (env: Record<string, string>, platform: NodeJS.Platform = "linux"): string[] =>
      modelCaches(env, "/home/a", platform).map(({ folder }) => folder);
    expect(folders({})).toEqual([
      "/home/a/.cache/huggingface/hub",
      "/home/a/.lmstudio/models",
      "/home/a/.cache/lm-studio/models",
      "/home/a/.cache/llama.cpp",
    ]);
    expect(folders({ HF_HOME: "/hf" })[0]).toBe("/hf/hub");
    expect(folders({ HF_HOME: "/hf", HF_HUB_CACHE: "/hub" })[0]).toBe("/hub");
    expect(folders({ XDG_CACHE_HOME: "/xdg" })[0]).toBe("/xdg/huggingface/hub");
    expect(folders({ XDG_CACHE_HOME: "/xdg" })[3]).toBe("/xdg/llama.cpp");
    expect(folders({ LLAMA_CACHE: "/llama" })[3]).toBe("/llama");
    expect(folders({}, "darwin")[3]).toBe("/home/a/Library/Caches/llama.cpp");
    expect(folders({ LOCALAPPDATA: "/local" }, "win32")[3]).toBe("/local/llama.cpp");
  });
});

describe("models in caches", () => {
  it("of Hugging Face are the revision that main names, else the newest, each GGUF file for itself", async () => {
    const hub = temporaryFolder();
    const llama = join(hub, "models--org--llama");
    for (const revision of ["aaa", "bbb"]) {
      plant(llama, revision, "config.json", 10);
      plant(llama, revision, "model-00001-of-00002.safetensors", 100);
      plant(llama, revision, "model-00002-of-00002.safetensors", 50);
    }
    setMain(llama, "aaa");
    const undated = join(hub, "models--org--without-main");
    for (const [revision, time] of [
      ["old", 1_000],
      ["new", 2_000],
    ] as const) {
      plant(undated, revision, "config.json", 10);
      plant(undated, revision, "model.safetensors", 7);
      utimesSync(join(undated, "snapshots", revision), time, time);
    }
    const packed = join(hub, "models--org--packed-GGUF");
    plant(packed, "ccc", "a.Q4_0.gguf", 30);
    plant(packed, "ccc", "big-00001-of-00002.gguf", 20);
    plant(packed, "ccc", "big-00002-of-00002.gguf", 5);
    plant(packed, "ccc", "mmproj-a.gguf", 9);
    // A download that was broken off, a data set, a repository of something else.
    plant(join(hub, "models--org--gone"), "ddd", "config.json", 10);
    plant(join(hub, "models--org--gone"), "ddd", "model.safetensors", 10);
    rmSync(join(hub, "models--org--gone", "blobs"), { recursive: true });
    file(join(hub, "datasets--org--texts", "snapshots", "e", "model.safetensors"), 5);
    plant(join(hub, "models--org--notes"), "fff", "README.md", 5);
    const found = await findModels([{ owner: "Hugging Face", folder: hub, layout: "hub" }]);
    expect(found).toEqual([
      expect.objectContaining({ name: "org/llama", form: "safetensors", bytes: 150 }),
      expect.objectContaining({ name: "org/packed-GGUF/a.Q4_0", form: "GGUF", bytes: 30 }),
      expect.objectContaining({ name: "org/packed-GGUF/big", form: "GGUF", bytes: 25 }),
      expect.objectContaining({ name: "org/without-main", path: join(undated, "snapshots", "new") }),
    ]);
    expect(found[0]?.path).toBe(join(llama, "snapshots", "aaa"));
    expect(found[2]?.path).toBe(join(packed, "snapshots", "ccc", "big-00001-of-00002.gguf"));
  });

  it("of LM Studio and llama.cpp are GGUF files, three folders deep at most", async () => {
    const folder = temporaryFolder();
    file(join(folder, "lm", "publisher", "model", "m.Q8_0.gguf"), 40);
    file(join(folder, "lm", "a", "b", "c", "too-deep.gguf"), 40);
    file(join(folder, "llama.cpp", "org_x-Q4_K_M.gguf"), 12);
    file(join(folder, "llama.cpp", "org_x-Q4_K_M.gguf.json"), 2);
    const found = await findModels([
      { owner: "LM Studio", folder: join(folder, "lm"), layout: "files" },
      { owner: "LM Studio", folder: join(folder, "not-there"), layout: "files" },
      { owner: "llama.cpp", folder: join(folder, "llama.cpp"), layout: "files" },
    ]);
    expect(found.map(({ name, owner, bytes }) => [name, owner, bytes])).toEqual([
      ["m.Q8_0", "LM Studio", 40],
      ["org_x-Q4_K_M", "llama.cpp", 12],
    ]);
  });
});

describe("a found model", () => {
  function planted(): { hub: string; snapshot: string } {
    const hub = temporaryFolder();
    const repository = join(hub, "models--org--demo");
    for (const name of NAMES) plant(repository, "abc", name, join(DEMO, name));
    return { hub, snapshot: join(repository, "snapshots", "abc") };
  }

  it("is opened by a press where the window may name no paths, and no other path is", async () => {
    const { hub, snapshot } = planted();
    const roots: string[] = [];
    const studio = startStudio({
      home: temporaryFolder(),
      roots,
      caches: [{ owner: "Hugging Face", folder: hub, layout: "hub" }],
      grant: (path) => roots.push(path),
    });
    await expect(studio.call("model:open", { path: snapshot })).rejects.toMatchObject({
      code: "access/outside",
    });
    const [model] = await studio.call("model:found", {});
    expect(model).toMatchObject({ path: snapshot, name: "org/demo", owner: "Hugging Face" });
    await expect(studio.call("model:open", { path: hub })).rejects.toMatchObject({ code: "access/outside" });
    const summary = await studio.call("model:open", { path: snapshot });
    expect(summary.parameters).toBeGreaterThan(4e6);
    expect(roots).toEqual([snapshot]);
  });

  it("is not shown by a server that may not read it", async () => {
    const { hub } = planted();
    const caches = [{ owner: "Hugging Face", folder: hub, layout: "hub" }] as const;
    const closed = startStudio({ home: temporaryFolder(), roots: [temporaryFolder()], caches });
    expect(await closed.call("model:found", {})).toEqual([]);
    const open = startStudio({ home: temporaryFolder(), roots: [hub], caches });
    expect(await open.call("model:found", {})).toHaveLength(1);
  });
});
