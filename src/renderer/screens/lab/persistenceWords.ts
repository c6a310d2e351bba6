import { coordinateWords } from "#shared/figures/detectionWords.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import { activation, factor, plural, sentence } from "#shared/format.ts";

type Persistence = LabReportOf<"super-activations">["persistence"][number];

/** `layer 1 [137, 401] writes 241.3 to channel 137; in all 8 prompts it stays the largest from layer 1 to 4, at token 0; …` */
export function persistenceWords(one: Persistence, prompts: number): string {
  const [layer, row] = one.superWeight;
  const own = one.layers.find((at) => at.layer === layer);
  const start = `${sentence(coordinateWords(one.superWeight))} writes ${activation(own?.magnitude ?? null)} to channel ${row}`;
  const all = prompts === 1 ? "in the one prompt" : `in all ${plural(prompts, "prompt")}`;
  if (one.from === null) return `${start}; in no layer is that the largest value ${all}.`;
  const until = one.to ?? one.from;
  const where = until === one.from ? `in layer ${one.from}` : `from layer ${one.from} to ${until}`;
  const token = one.token === null ? "at varying tokens" : `at token ${one.token}`;
  return `${start}; ${all} it is the largest value ${where}, ${token}${lost(own)}.`;
}

/** What is left of the value once the super weights are gone. */
function lost(own: Persistence["layers"][number] | undefined): string {
  if (own?.magnitude == null || own.withoutSuperWeights === null || own.withoutSuperWeights <= 0) return "";
  return `; without super weights ${factor(own.withoutSuperWeights / own.magnitude)}`;
}
