import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAccess } from "#studio/models/access.ts";
import { createStudio } from "#studio/createStudio.ts";
import { Grants } from "../../src/main/grants.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "keystone-grants-")));
  file = join(folder, "home/granted.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("what a person picked", () => {
  it("is allowed beside what comes with the app, once each, and after a restart", () => {
    const grants = new Grants(file, ["/shipped"]);
    grants.add(folder);
    grants.add(join(folder, "."));
    expect(grants.roots).toEqual(["/shipped", folder]);
    expect(new Grants(file, ["/shipped elsewhere"]).roots).toEqual(["/shipped elsewhere", folder]);
  });

  it("is pinned to what a link led to then", () => {
    mkdirSync(join(folder, "first"));
    mkdirSync(join(folder, "second"));
    symlinkSync(join(folder, "first"), join(folder, "link"));
    const grants = new Grants(file, []);
    grants.add(join(folder, "link"));
    unlinkSync(join(folder, "link"));
    symlinkSync(join(folder, "second"), join(folder, "link"));
    expect(grants.roots).toEqual([join(folder, "first")]);
  });

  it("goes by its link's name where it is a file, and only as long as the link leads to that file", () => {
    writeFileSync(join(folder, "blob"), "first");
    writeFileSync(join(folder, "other"), "second");
    symlinkSync(join(folder, "blob"), join(folder, "model.gguf"));
    const grants = new Grants(file, []);
    grants.add(join(folder, "model.gguf"));
    const access = createAccess(grants.roots);
    expect(access.check(join(folder, "model.gguf"))).toBe(join(folder, "model.gguf"));
    unlinkSync(join(folder, "model.gguf"));
    symlinkSync(join(folder, "other"), join(folder, "model.gguf"));
    expect(() => access.check(join(folder, "model.gguf"))).toThrow(/outside the folders/);
    expect(createAccess(new Grants(file, []).roots).allows(join(folder, "other"))).toBe(false);
  });

  it("is forgotten, the oldest first, past five hundred; what is shipped stays", () => {
    const grants = new Grants(file, ["/shipped"]);
    for (let i = 0; i < 502; i++) grants.add(`/model/${i}`);
    expect(grants.roots.length).toBe(501);
    expect(grants.roots.slice(0, 2)).toEqual(["/shipped", "/model/2"]);
    expect(new Grants(file, []).roots.length).toBe(500);
  });

  it.each(["", "{", "[1]", '{"a":1}', '[""]', JSON.stringify(["x".repeat(5000)])])(
    "is nothing where the file was damaged: %j",
    (content) => {
      mkdirSync(join(folder, "home"));
      writeFileSync(file, content);
      expect(new Grants(file, ["/shipped"]).roots).toEqual(["/shipped"]);
    },
  );

  it("is kept for this start where the file cannot be written", () => {
    writeFileSync(join(folder, "home"), "a file where a folder should be");
    const grants = new Grants(file, []);
    grants.add(folder);
    expect(grants.roots).toEqual([folder]);
  });

  it("is written for its owner alone", () => {
    new Grants(file, []).add(folder);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual([folder]);
  });

  it("opens to a running studio at once", async () => {
    const grants = new Grants(file, []);
    const studio = createStudio({ home: join(folder, "home"), roots: grants.roots });
    const text = join(folder, "picked");
    mkdirSync(text);
    await expect(studio.call("folder:list", { path: text })).rejects.toMatchObject({
      code: "access/outside",
    });
    grants.add(text);
    expect(await studio.call("folder:list", { path: text })).toMatchObject({ entries: [] });
    await expect(studio.call("folder:list", { path: folder })).rejects.toMatchObject({
      code: "access/outside",
    });
    await studio.close();
  });
});
