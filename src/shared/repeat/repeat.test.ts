import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { repeatText, shellWord, type Repeat } from "./repeat.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What a shell makes of the text: the words that the command gets, and the folder with the files it wrote. */
function pasted(repeat: Repeat): { words: string[]; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "keystone-repeat-"));
  folders.push(folder);
  const script = `keystone() { for word in keystone "$@"; do printf '%s\\0' "$word"; done; }\n${repeatText(repeat)}`;
  const { stdout, stderr } = spawnSync("sh", ["-c", script], { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  return { words: stdout.split("\0").slice(0, -1), folder };
}

describe("a command pasted into a shell", () => {
  const hostile = [
    "it's",
    "$(touch pwned)",
    "`touch pwned`",
    "a b",
    "",
    "--",
    "\\",
    '"',
    "ünï",
    "new\nline",
    "*",
    "~",
  ];

  it("gets exactly its words, whatever they hold", () => {
    const argv = ["keystone", ...hostile];
    const { words, folder } = pasted({ files: [], argv });
    expect(words).toEqual(argv);
    expect(() => readFileSync(join(folder, "pwned"))).toThrow();
  });

  it("may go on in further lines when it is long", () => {
    const argv = [
      "keystone",
      "lab",
      "importance",
      "/m".repeat(40),
      "--text",
      "/t".repeat(30),
      "--tokens",
      "9",
    ];
    expect(repeatText({ files: [], argv })).toContain(" \\\n  --tokens 9\n");
    expect(pasted({ files: [], argv }).words).toEqual(argv);
  });

  it("finds the files it needs, to the letter", () => {
    const content = `{ "a": "$HOME \`x\` \\\\ 'q'" }`;
    const { folder } = pasted({ files: [{ name: "plan 1.json", content }], argv: ["keystone"] });
    expect(readFileSync(join(folder, "plan 1.json"), "utf8")).toBe(`${content}\n`);
  });
});

it("leaves plain words unquoted", () => {
  expect(shellWord("/a/b-c_d.e:f,1=2")).toBe("/a/b-c_d.e:f,1=2");
  expect(shellWord("it's")).toBe("'it'\\''s'");
});
