// The paper's claims beside what is measured on a trained model that others made: every figure from one of Keystone's own commands.
// Answers are kept, so that a run that was stopped goes on where it was.
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { markdownTable } from "../peers/peer.ts";
import { smolLm2 } from "../peers/smolLm2.ts";
import { claimsOf } from "./claims.ts";
import { answersOf, argumentsOf, STEPS, type Setting } from "./steps.ts";

const README = join(import.meta.dirname, "..", "..", "README.md");
const [BEGIN, END] = ["<!-- real model -->", "<!-- end of real model -->"];
const USAGE = `Usage: npm run real-model -- --text FILE --calibration FILE [options]
Runs detection, the lab's seven experiments and a sweep of 24 variants on SmolLM2-135M, or on another model, and prints a table.
  --model PATH    the model (default: SmolLM2-135M, KEYSTONE_SMOLLM2 or fetched)
  --tokens N      scored tokens of the text (default: 4096)
  --context N     tokens of a window (default: 512)
  --keep DIR      where answers are kept (default: a folder for temporary files)
  --write         puts the table into README.md`;

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    text: { type: "string" },
    calibration: { type: "string" },
    tokens: { type: "string", default: "4096" },
    context: { type: "string", default: "512" },
    keep: { type: "string", default: join(tmpdir(), "keystone-real-model") },
    write: { type: "boolean", default: false },
  },
});
const { text, calibration } = values;
if (text === undefined || calibration === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const setting: Setting = {
    model: resolve(values.model ?? smolLm2()),
    text: resolve(text),
    calibration: resolve(calibration),
    tokens: Number(values.tokens),
    context: Number(values.context),
    keep: resolve(values.keep),
  };
  const report = reportOf(setting);
  console.log(report);
  if (values.write) writeReadme(report);
}

/** The table, how its text was cut, and the commands behind it. */
function reportOf(setting: Setting): string {
  const answers = answersOf(setting);
  const table = markdownTable(
    ["the paper (Llama-7B)", "there", "here", "holds"],
    claimsOf(answers).map(({ claim, paper, here, holds }) => [claim, paper, here, holds]),
  );
  const commands = STEPS.map((step) => `keystone ${argumentsOf(step, setting).join(" ")}`);
  const { convention } = answers.importance;
  return `${table}\n\nThe text: ${convention.text}\n\n\`\`\`sh\n${commands.join("\n")}\n\`\`\``;
}

function writeReadme(report: string): void {
  const page = readFileSync(README, "utf8");
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  if (!page.includes(BEGIN) || to < from) throw new Error(`README.md has no place for ${BEGIN}`);
  writeFileSync(README, `${page.slice(0, from)}\n\n${report}\n\n${page.slice(to)}`);
}
