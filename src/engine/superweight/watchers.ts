import { coordinateOf } from "#shared/recipe.ts";
import { isSameNeuron, keyOf, propose, type Proposal, type Yardstick } from "./evidence/candidates.ts";
import { PromptPass } from "./evidence/promptPass.ts";
import { tokensOf, type Search } from "./detectionRun.ts";

/** Candidates whose absence is looked at for what it brings to light, besides all of them together. */
const WATCHED_ALONE = 3;
/** Weights first seen with others zeroed that are measured. */
const MOST_LATER = 4;

/** The prompt without each of the strongest candidates, one of a column, and without all of them. */
export async function openWatchers(search: Search, measured: readonly Proposal[]): Promise<PromptPass[]> {
  const { request, forms, meter } = search;
  const { checkpoint, forward, options } = request;
  const free = measured.filter((it) => !it.cancelling);
  const columns = free.filter((it, i) => free.findIndex((other) => isSameNeuron(it, other)) === i);
  const sets = [...columns.slice(0, WATCHED_ALONE).map((it) => [it]), ...(free.length > 1 ? [free] : [])];
  if (sets.length > options.maxPasses - 1 && free.length > 0)
    search.open.push(
      `What the absence of ${sets.length - options.maxPasses + 1} of the candidates brings to light was not looked at: the limit is ${options.maxPasses} passes.`,
    );
  const passes: PromptPass[] = [];
  for (const set of sets.slice(0, options.maxPasses - 1)) {
    const hidden = await forward.embed(
      checkpoint,
      forms.map(({ ids }) => ids),
    );
    meter.extend(request.architecture.facts.layers * tokensOf(forms));
    passes.push(new PromptPass(passes.length + 2, set.map(coordinateOf), hidden, forms));
  }
  return passes;
}

/** Weights behind outputs that stand out only with others zeroed; a layer that cancels in the unmodified model is no news. */
export function newlySeen(
  search: Search,
  watchers: readonly PromptPass[],
  measure: Yardstick,
  measured: readonly Proposal[],
): Proposal[] {
  const { architecture } = search.request;
  const known = new Set(
    propose(architecture, search.passes[0].evidence, measure, { pass: 1, after: [] }).map(keyOf),
  );
  const cancelling = new Set(measured.filter((it) => it.cancelling).map(({ layer }) => layer));
  const found: Proposal[] = [];
  for (const { pass, zeroed, evidence } of watchers) {
    for (const proposal of propose(architecture, evidence, measure, { pass, after: [...zeroed] })) {
      if (!proposal.traced || known.has(keyOf(proposal)) || cancelling.has(proposal.layer)) continue;
      known.add(keyOf(proposal));
      found.push(proposal);
    }
  }
  if (found.length > MOST_LATER)
    search.open.push(
      `${found.length - MOST_LATER} outputs that stand out only with others zeroed were not measured.`,
    );
  return found.toSorted((a, b) => b.timesMedian - a.timesMedian).slice(0, MOST_LATER);
}
