import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createAccess } from "./access.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "keystone-access-")));
const root = join(folder, "models");
mkdirSync(join(root, "llama"), { recursive: true });
mkdirSync(join(folder, "models-private"));
writeFileSync(join(folder, "secret.txt"), "x");
symlinkSync(folder, join(root, "escape"));
symlinkSync(join(folder, "not-yet"), join(root, "dangling"));
symlinkSync(join(root, "loop"), join(root, "loop"));
writeFileSync(join(root, "0a1b2c"), "GGUF");
symlinkSync(join("..", "0a1b2c"), join(root, "llama", "tiny.gguf"));
symlinkSync(join(folder, "secret.txt"), join(root, "llama", "secret.gguf"));
symlinkSync("llama", join(root, "other"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("createAccess", () => {
  const access = createAccess([root]);

  it("gives the real path of what lies inside, also where it does not exist yet", () => {
    expect(access.check(join(root, "llama", "..", "llama"))).toBe(join(root, "llama"));
    expect(access.check(join(root, "new", "export"))).toBe(join(root, "new", "export"));
    expect(access.check(root)).toBe(root);
  });

  it.each([
    ["the folder above", () => folder],
    ["a way up", () => join(root, "..", "secret.txt")],
    ["a name that only begins like a root", () => join(folder, "models-private")],
    ["a symbolic link that leads out", () => join(root, "escape", "secret.txt")],
    ["a link to something outside that does not exist yet", () => join(root, "dangling")],
    ["something new behind such a link", () => join(root, "escape", "new", "file")],
  ])("refuses %s", (_what, path) => {
    expect(() => access.check(path())).toThrow(/outside the folders/);
    expect(access.allows(path())).toBe(false);
  });

  it("leaves a file's link where it is, so that its name and the files beside it are those that were named", () => {
    expect(access.check(join(root, "llama", "tiny.gguf"))).toBe(join(root, "llama", "tiny.gguf"));
    expect(createAccess(null).check(join(root, "llama", "tiny.gguf"))).toBe(join(root, "llama", "tiny.gguf"));
    expect(
      createAccess([join(root, "llama", "tiny.gguf"), root]).check(join(root, "llama", "tiny.gguf")),
    ).toBe(join(root, "llama", "tiny.gguf"));
    expect(access.check(join(root, "other"))).toBe(join(root, "llama"));
  });

  it("refuses a link inside to a file outside, whatever its name", () => {
    expect(() => access.check(join(root, "llama", "secret.gguf"))).toThrow(/outside the folders/);
  });

  it("refuses a loop of links", () => {
    expect(() => access.check(join(root, "loop"))).toThrow(/loop of symbolic links/);
  });

  it("refuses a path with a zero byte", () => {
    expect(() => access.check(`${root}/a\0b`)).toThrow(/zero byte/);
  });

  it("follows a list of roots that grows", () => {
    const granted: string[] = [];
    const growing = createAccess(granted);
    expect(growing.allows(root)).toBe(false);
    granted.push(root);
    expect(growing.allows(root)).toBe(true);
  });

  it("allows everything where no roots were given", () => {
    expect(createAccess(null).check(folder)).toBe(folder);
  });
});
