import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

const SCRIPTS = join(import.meta.dirname, "../../scripts");
/** An installation in two parts, the second a second later; each beginning and end is a line of the log. */
const NPM = `#!${process.execPath}
const { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
const say = (word) => appendFileSync("log", word + "\\n");
say("install begins");
rmSync("node_modules", { recursive: true, force: true });
const add = (name, files) => {
  for (const [path, text] of Object.entries({ "package.json": "{}", ...files })) {
    const file = "node_modules/" + name + "/" + path;
    mkdirSync(require("node:path").dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
};
add("node", {});
mkdirSync("node_modules/node/bin");
symlinkSync(${JSON.stringify(process.execPath)}, "node_modules/node/bin/node");
setTimeout(() => {
  add("electron-vite", { "bin/electron-vite.js": ${JSON.stringify(`
    const { appendFileSync, mkdirSync, writeFileSync } = require("node:fs");
    appendFileSync("log", "build begins\\n");
    mkdirSync("out/main", { recursive: true });
    setTimeout(() => {
      writeFileSync("out/main/cli.js", "console.log('ran')");
      appendFileSync("log", "build ends\\n");
    }, 300);`)} });
  say("install ends");
}, 1000);
`;
const LOCK_FILE = {
  packages: { "": {}, "node_modules/node": {}, "node_modules/electron-vite": {} },
};

let root: string;
/** A fresh clone with a package manager and a builder of our own. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "keystone-bootstrap-"));
  const folder = root;
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(root, "programs"));
  writeFileSync(join(root, "programs/npm"), NPM);
  chmodSync(join(root, "programs/npm"), 0o755);
  mkdirSync(join(root, "scripts"));
  for (const name of ["bootstrap.mjs", "lock.mjs"]) cpSync(join(SCRIPTS, name), join(root, "scripts", name));
  writeFileSync(join(root, "package-lock.json"), JSON.stringify(LOCK_FILE));
  writeFileSync(join(root, "package.json"), "{}");
});

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function keystone(): Running {
  const inherited: NodeJS.ProcessEnv = { ...process.env };
  delete inherited["npm_lifecycle_event"];
  const child = spawn(process.execPath, [join(root, "scripts/bootstrap.mjs"), "keystone"], {
    cwd: root,
    env: { ...inherited, PATH: `${join(root, "programs")}${delimiter}${dirname(process.execPath)}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, stdout, stderr })),
  );
  return { process: child, ended };
}

const log = (): string[] => {
  const file = join(root, "log");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};
const ONCE = ["install begins", "install ends", "build begins", "build ends"];

describe("the first commands of a fresh clone", () => {
  it("side by side install and build once: the others wait, say for whom, and run", async () => {
    const started = [keystone(), keystone(), keystone()];
    const done = await Promise.all(started.map(({ ended }) => ended));
    expect(done.map(({ code, stdout }) => [code, stdout])).toEqual(done.map(() => [0, "ran\n"]));
    expect(log()).toEqual(ONCE);
    const waited = done.filter(({ stderr }) => /Waiting: process \d+ on \S+ installs packages/.test(stderr));
    expect(waited).toHaveLength(2);
    expect(existsSync(join(root, ".bootstrap.lock"))).toBe(false);
  });

  it("install again where an installation was killed half-way, and not while what it started still writes", async () => {
    const first = keystone();
    await expect.poll(log, { timeout: 20_000 }).toEqual(["install begins"]);
    first.process.kill("SIGKILL");
    const second = await keystone().ended;
    await first.ended;
    expect([second.code, second.stdout]).toEqual([0, "ran\n"]);
    // the first one's npm came to its end, but nobody was left to call it whole
    expect(log()).toEqual(["install begins", "install ends", ...ONCE]);
    expect(second.stderr).toContain("the last installation was not finished");
  });

  it("install again where a package is missing, and not where all is there", async () => {
    await keystone().ended;
    rmSync(join(root, "node_modules/electron-vite"), { recursive: true });
    const { code, stderr } = await keystone().ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("some are missing")]);
    expect((await keystone().ended).stderr).toBe("");
    expect(log()).toEqual([...ONCE, "install begins", "install ends"]);
  });

  it("take over the lock of a process that is gone", async () => {
    const holder = {
      pid: 2 ** 22 + 1,
      started: "1",
      host: hostname(),
      child: null,
    };
    writeFileSync(join(root, ".bootstrap.lock"), JSON.stringify(holder));
    expect((await keystone().ended).stdout).toBe("ran\n");
    expect(log()).toEqual(ONCE);
  });
});
