import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { planFolders } from "#engine/export/folder/exportFolders.ts";
import { listSideFiles } from "#engine/export/folder/sideFiles.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";

async function place(): Promise<{ source: string; folder: string }> {
  const folder = await temporaryFolder();
  const source = join(folder, "model");
  await mkdir(source);
  return { source, folder };
}

describe("the place of an export", () => {
  it("is refused by its name where a disk would not take it", async () => {
    const { source, folder } = await place();
    for (const out of [
      "/",
      join(folder, "a\nb"),
      `${folder}/a\0b`,
      join(folder, "x".repeat(201)),
      join(folder, "\ud800"),
      // of Windows, on every system: an export may be copied there
      ...["con", "NUL.txt", "lpt1", "a:b*?", 'a"b', "x. ", "x."].map((name) => join(folder, name)),
      join(folder, "aux", "model"),
    ]) {
      await expect(planFolders(nodeFileSystem, source, out, false)).rejects.toMatchObject({
        code: "export/bad-name",
      });
    }
  });

  it("may be named in any script, with spaces, up to 200 bytes", async () => {
    const { source, folder } = await place();
    for (const name of ["Modell klein", "模型", "x".repeat(200), "model2", "..model", "console", "v1.0"]) {
      const { out } = await planFolders(nodeFileSystem, source, join(folder, name), false);
      expect(out.endsWith(name)).toBe(true);
    }
  });

  it("gets folders of its own beside it, never those of another export to the same place", async () => {
    const { source, folder } = await place();
    const out = join(folder, "small");
    const [a, b] = [
      await planFolders(nodeFileSystem, source, out, false),
      await planFolders(nodeFileSystem, source, out, false),
    ];
    expect(new Set([a.part, a.aside, b.part, b.aside]).size).toBe(4);
    for (const path of [a.part, a.aside]) expect(path.startsWith(`${a.out}.${process.pid}.`)).toBe(true);
  });

  it("names the parents it lacks, the innermost first", async () => {
    const { source, folder } = await place();
    const { out, missingParents } = await planFolders(
      nodeFileSystem,
      source,
      join(folder, "a", "b", "c"),
      false,
    );
    expect(missingParents).toEqual([join(out, ".."), join(out, "..", "..")]);
  });
});

describe("the files around the weights", () => {
  it("include the templates in their own folder, and links are followed", async () => {
    const { source, folder } = await place();
    await mkdir(join(source, "additional_chat_templates"));
    await writeFile(join(source, "additional_chat_templates", "tools.jinja"), "{{ x }}");
    await writeFile(join(folder, "blob"), "{}");
    await symlink(join(folder, "blob"), join(source, "tokenizer.json"));
    await symlink(join(folder, "nowhere"), join(source, "broken.json"));
    await mkdir(join(source, "folder.json"));
    expect((await listSideFiles(nodeFileSystem, source)).map(({ name, bytes }) => [name, bytes])).toEqual([
      ["tokenizer.json", 2],
      ["additional_chat_templates/tools.jinja", 7],
    ]);
  });
});
