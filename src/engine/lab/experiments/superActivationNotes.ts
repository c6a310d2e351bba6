import { coordinateWords } from "#shared/figures/detectionWords.ts";
import type { Note } from "#shared/notes.ts";
import { list } from "#shared/format.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import type { ResidualPeaks } from "./residualPeaks.ts";
import { figure, sentence } from "../run/words.ts";

type Persistence = LabReportOf<"super-activations">["persistence"][number];

/** Values this much larger than the original's are worth a note. */
const WILD = 1.5;

/**
 * A model that has lost its super weights can hold larger values than before: what a later layer takes back of the super activation
 * whether it is there or not, or something new.
 */
export function wildness(
  [original, pruned]: readonly (readonly (readonly ResidualPeaks[])[])[],
  rows: readonly number[],
): Note[] {
  const largest = (prompts: readonly ResidualPeaks[]): ResidualPeaks =>
    prompts.reduce((most, peaks) => (Math.abs(peaks.value) > Math.abs(most.value) ? peaks : most));
  return original.flatMap((prompts, layer) => {
    const [before, after] = [largest(prompts), largest(pruned[layer])];
    if (!(Math.abs(after.value) > Math.abs(before.value) * WILD)) return [];
    const watched = rows.indexOf(after.channel);
    const taken = watched >= 0 && superActivation(original, watched) * after.value < 0;
    const why = taken
      ? "A layer writes there what takes back the super activation, and finds none."
      : "The model goes wild there.";
    return [
      {
        code: taken ? "super-activations/taken-back" : "super-activations/wild",
        text: `Layer ${layer} holds more without the super weights than with them: ${figure(after.value)} in channel ${after.channel} at token ${after.token}, before ${figure(before.value)} in channel ${before.channel}. ${why}`,
      },
    ];
  });
}

/** The largest value that the original has in a watched channel, with its sign. */
function superActivation(layers: readonly (readonly ResidualPeaks[])[], watched: number): number {
  return layers
    .flat()
    .map((peaks) => peaks.watched[watched].value)
    .reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

/** What is to be known where super weights share a channel, or write to several. */
export function severalRows(persistence: readonly Persistence[]): Note[] {
  const byRow = [...Map.groupBy(persistence, ({ superWeight: [, row] }) => row)];
  const shared = byRow
    .filter(([, weights]) => weights.length > 1)
    .map(([row, weights]): Note => {
      const places = weights.map(({ superWeight }) => coordinateWords(superWeight));
      const text = `${list(places)} write to one channel, ${row}: what is found there is of them together.`;
      return { code: "super-activations/one-channel", text: sentence(text) };
    });
  const apart: Note = {
    code: "super-activations/apart",
    text: "Where super weights write to several channels, each is compared with the channels that are none's: the others' rows are left out.",
  };
  return byRow.length > 1 ? [...shared, apart] : shared;
}
