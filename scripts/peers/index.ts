// Lets programs of others load what Keystone exports, and holds their logits and perplexities to Keystone's own. A peer is a
// folder here whose index.ts exports `peer`. Where it has a requirements.txt, its Python packages go into a virtual environment
// under .venv/; PYTHON names an interpreter that has them. Exit code 0: every one of them ran and agrees; 1: one
// differs, failed or did not run; 2: there is no peer of that name.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { silenceRuntime } from "#engine/forward/runtime/silenceRuntime.ts";
import { keepReport } from "./docs.ts";
import { failuresOf, markdownTable, PeerMissing, versionsText, type Peer } from "./peer.ts";
import { pythonFor } from "./python.ts";

type State = "agrees" | "DIFFERS" | "FAILED" | "NOT RUN";

interface Outcome {
  readonly name: string;
  readonly state: State;
  readonly seconds: number;
  /** What was compared, or why nothing was. */
  readonly words: string;
}

/** Names of the peers, which are the folders here. */
function everyPeer(): string[] {
  return readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(import.meta.dirname, entry.name, "index.ts")))
    .map(({ name }) => name);
}

async function runPeer(name: string, write: boolean): Promise<Outcome> {
  const begin = performance.now();
  const done = (state: State, words: string): Outcome => ({
    ...{ name, state, words },
    seconds: (performance.now() - begin) / 1000,
  });
  process.stderr.write(`Peer ${name} …\n`);
  try {
    const { peer } = (await import(`./${name}/index.ts`)) as { peer: Peer };
    const report = await peer.run(pythonFor(name));
    console.log(`## ${peer.title}\n\n${versionsText(report.versions)}.\n\n${report.text}\n`);
    const failures = [...report.checks.flatMap(failuresOf), ...report.failures];
    if (report.checks.length === 0) return done("NOT RUN", "It compared nothing.");
    if (failures.length > 0) {
      console.log(`${failures.map((failure) => `- ${failure}`).join("\n")}\n`);
      return done("DIFFERS", `${failures.length} bounds do not hold; they are named above.`);
    }
    if (write) keepReport(name, peer, report);
    return done("agrees", `${report.checks.length} comparisons within their bounds`);
  } catch (error) {
    if (error instanceof PeerMissing) return done("NOT RUN", error.message);
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return done("FAILED", "It ended before everything was compared; the message above says where.");
  }
}

// What runs here sends nothing: Python's onnxruntime is the same runtime as Keystone's.
silenceRuntime();
const { values, positionals: named } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { write: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});
const every = everyPeer();
const usage = `Usage: npm run peers [-- NAME … --write]
Peers: ${every.join(", ")}; all of them where none is named. --write keeps the output in docs/.`;
const [option] = Object.keys(values).filter((name) => name !== "write" && name !== "help");
const unknown = named.filter((name) => !every.includes(name));
if (values.help === true) {
  console.log(usage);
} else if (option !== undefined || unknown.length > 0) {
  const wrong =
    option === undefined ? `There is no peer ${unknown.join(", ")}` : `There is no option --${option}`;
  console.error(`${wrong}.\n${usage}`);
  process.exitCode = 2;
} else {
  const outcomes: Outcome[] = [];
  for (const name of named.length > 0 ? named : every)
    outcomes.push(await runPeer(name, values.write === true));
  const rows = outcomes.map(({ name, state, words, seconds }) => [name, state, words, seconds.toFixed(0)]);
  console.log(markdownTable(["peer", "result", "what", "seconds"], rows));
  if (outcomes.some(({ state }) => state !== "agrees")) process.exitCode = 1;
}
