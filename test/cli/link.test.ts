import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "keystone-link-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.skipIf(process.platform === "win32")(
  "`keystone`, linked as npm links it, runs from any folder and reads paths as that folder's",
  () => {
    symlinkSync(join(ROOT, packageJson.bin.keystone), join(folder, "keystone"));
    symlinkSync(join(ROOT, "resources/demo-model/model"), join(folder, "mine"));
    const printed = execFileSync(
      "keystone",
      ["inspect", "./mine", "--no-statistics", "--json", "--home", "home"],
      {
        cwd: folder,
        encoding: "utf8",
        env: {
          ...process.env,
          PATH: [folder, dirname(process.execPath), process.env["PATH"]].join(delimiter),
          INIT_CWD: ROOT,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    expect(JSON.parse(printed)).toMatchObject({ parameters: 4_951_296 });
  },
);
