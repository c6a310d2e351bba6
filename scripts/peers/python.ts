import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeerMissing } from "./peer.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const SYSTEM = "python3";

/**
 * Packages of a peer, in the order in which they are installed; the second file's without what they ask for themselves, where
 * that is a build of a package of the first.
 */
const REQUIREMENTS = [
  { file: "requirements.txt", options: [] },
  { file: "requirements-alone.txt", options: ["--no-deps"] },
] as const;

/**
 * An interpreter that has a peer's packages: PYTHON, or one under .venv/ that is made from the peer's requirements when they
 * change, or the system's where it needs none.
 * @throws PeerMissing where there is no Python, or the packages cannot be installed
 */
export function pythonFor(peer: string): string {
  const given = process.env["PYTHON"];
  if (given) return given;
  if (spawnSync(SYSTEM, ["--version"], { stdio: "ignore" }).status !== 0)
    throw new PeerMissing(`There is no ${SYSTEM} to run it with. Install Python 3.11 or newer.`);
  const wanted = REQUIREMENTS.map(({ file, options }) => ({
    path: join(import.meta.dirname, peer, file),
    options,
  })).filter(({ path }) => existsSync(path));
  if (wanted.length === 0) return SYSTEM;
  const environment = join(ROOT, ".venv", `peers-${peer}`);
  const python = join(environment, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const stamp = join(environment, "requirements.sha256");
  const hash = createHash("sha256");
  for (const { path } of wanted) hash.update(readFileSync(path));
  const digest = hash.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return python;
  process.stderr.write(`Installing the Python packages of ${peer} into ${environment} …\n`);
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(environment, { recursive: true });
  install(SYSTEM, ["-m", "venv", environment]);
  for (const { path, options } of wanted)
    install(python, ["-m", "pip", "install", "--quiet", ...options, "-r", path]);
  writeFileSync(stamp, digest);
  return python;
}

function install(command: string, args: readonly string[]): void {
  if (spawnSync(command, args, { stdio: ["ignore", 2, 2] }).status !== 0)
    throw new PeerMissing(
      `Its Python packages could not be installed (${args.join(" ")}); the messages above say why.`,
    );
}

/** What a Python program answers to a question on its standard input, both JSON. */
export function askPython(
  python: string,
  script: string,
  question: unknown,
  options: readonly string[] = [],
): unknown {
  const text = execFileSync(python, [script, ...options], {
    input: JSON.stringify(question),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
    maxBuffer: 64 * 2 ** 20,
  });
  return JSON.parse(text);
}
