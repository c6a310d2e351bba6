// Runs every peer that this machine can: programs of others that load what Keystone exports and must give the same numbers.
//   usage: npm run peers [-- NAME …] [-- --write]     --write keeps the output in docs/
// A peer is a folder here with an index.ts that prints Markdown and fails where a bound does not hold. Where it has a
// requirements.txt, its Python packages go into a virtual environment under .venv/; PYTHON names an interpreter that has them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const DOCS = join(ROOT, "docs");

interface Outcome {
  readonly peer: string;
  readonly state: "agrees" | "differs" | "not run";
  readonly output: string;
  readonly seconds: number;
}

/** An interpreter that has a peer's packages, or why there is none. */
function pythonFor(peer: string): { python: string } | { missing: string } {
  const given = process.env["PYTHON"];
  if (given) return { python: given };
  const requirements = join(import.meta.dirname, peer, "requirements.txt");
  if (!existsSync(requirements)) return { python: "python3" };
  const environment = join(ROOT, ".venv", `peers-${peer}`);
  const python = join(environment, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const stamp = join(environment, "requirements.sha256");
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return { python };
  process.stderr.write(`Installing the Python packages of ${peer} into ${environment} …\n`);
  mkdirSync(environment, { recursive: true });
  for (const [command, ...args] of [
    ["python3", "-m", "venv", environment],
    [python, "-m", "pip", "install", "--quiet", "-r", requirements],
  ]) {
    const done = spawnSync(command, args, { stdio: ["ignore", 2, 2] });
    if (done.status !== 0) return { missing: `${command} ${args.slice(0, 3).join(" ")} failed` };
  }
  writeFileSync(stamp, wanted);
  return { python };
}

function runPeer(peer: string): Outcome {
  const begin = performance.now();
  const found = pythonFor(peer);
  if ("missing" in found) return { peer, state: "not run", output: found.missing, seconds: 0 };
  const done = spawnSync(process.execPath, [join(import.meta.dirname, peer, "index.ts")], {
    encoding: "utf8",
    env: { ...process.env, PYTHON: found.python },
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 2 ** 20,
  });
  const seconds = (performance.now() - begin) / 1000;
  return { peer, state: done.status === 0 ? "agrees" : "differs", output: done.stdout.trim(), seconds };
}

/** Puts a peer's output between its marks, on the pages of docs/ that have them. */
function keep({ peer, output }: Outcome): void {
  const [begin, end] = [`<!-- peer ${peer} -->`, `<!-- end of peer ${peer} -->`];
  for (const name of readdirSync(DOCS).filter((file) => file.endsWith(".md"))) {
    const page = readFileSync(join(DOCS, name), "utf8");
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) continue;
    writeFileSync(
      join(DOCS, name),
      `${page.slice(0, from + begin.length)}\n\n${output}\n\n${page.slice(to)}`,
    );
  }
}

const words = process.argv.slice(2);
const write = words.includes("--write");
const named = words.filter((word) => word !== "--write");
const peers = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(import.meta.dirname, entry.name, "index.ts")))
  .map(({ name }) => name)
  .filter((name) => named.length === 0 || named.includes(name));
const outcomes = peers.map((peer) => {
  process.stderr.write(`Peer ${peer} …\n`);
  const outcome = runPeer(peer);
  console.log(`## ${peer}\n\n${outcome.output}\n`);
  if (write && outcome.state === "agrees") keep(outcome);
  return outcome;
});
console.log("| peer | result | seconds |\n|---|---|---|");
for (const { peer, state, seconds } of outcomes)
  console.log(`| ${peer} | ${state} | ${seconds.toFixed(0)} |`);
if (outcomes.length === 0 || outcomes.some(({ state }) => state === "differs")) process.exitCode = 1;
