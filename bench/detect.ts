import { join } from "node:path";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { judge } from "#shared/plan.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { detect } from "#engine/superweight/detect.ts";
import { scaleWeights } from "#engine/superweight/ablate/edits.ts";
import { PASSAGE, PASSAGE_NAME, PASSAGE_TOKENS } from "#engine/superweight/passage.ts";
import { openModelAt, type OpenModel } from "../test/support/openModelAt.ts";

const DEMO = join(import.meta.dirname, "../resources/demo-model/model");

// Detection with effects, beside evidence alone and beside scoring the same weights one after another, each as a variant of its
// own: what measuring effects cost before all changes went through the layers in one stream.
const { KEYSTONE_SMOLLM2: trained } = process.env;
for (const path of [DEMO, ...(trained ? [trained] : [])]) await compare(path);
if (!trained)
  console.log("KEYSTONE_SMOLLM2 names no GGUF file of SmolLM2-135M: the trained model was left out.");

async function compare(path: string): Promise<void> {
  const model = await openModelAt(path);
  try {
    const windows = passageOf(model);
    const text = { name: PASSAGE_NAME, windows };
    const [alone] = await timed(() => detect({ ...model, options: detectOptions.parse({ effect: false }) }));
    const [whole, report] = await timed(() => detect({ ...model, options: detectOptions.parse({}), text }));
    const measured = [...report.superWeights, ...report.candidates].filter(({ effect }) => effect);
    const [singly] = await timed(() => oneByOne(model, windows, measured));
    console.log(`${report.model}: ${report.finding.text}`);
    console.log(`  evidence alone            ${alone.toFixed(1)} s`);
    console.log(
      `  evidence and effects      ${whole.toFixed(1)} s (${measured.length} candidates, ${report.columns.length} columns, ${report.pairs.length} pairs, ${report.others.length} other weights)`,
    );
    console.log(
      `  the ${measured.length} candidates one by one ${singly.toFixed(1)} s, × ${(singly / whole).toFixed(2)}, without columns, pairs and the null`,
    );
  } finally {
    await model.close();
  }
}

function passageOf({ tokenizer, architecture }: OpenModel): WindowSet {
  const asked = judge.parse({ context: PASSAGE_TOKENS + 1, tokens: 1 });
  return cutWindows([PASSAGE], tokenizer, asked, architecture.facts.contextLength);
}

async function oneByOne(
  model: OpenModel,
  windows: WindowSet,
  measured: DetectReport["candidates"],
): Promise<void> {
  const reference = await scoreOriginal({ ...model, windows });
  for (const { layer, row, column } of measured) {
    const edits = scaleWeights(model.architecture, [[layer, row, column]], 0);
    const variants = [{ id: "pruned", plans: new Map(), edits }];
    await scoreWave({ ...model, windows, reference, variants });
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const begin = performance.now();
  const result = await work();
  return [(performance.now() - begin) / 1000, result];
}
