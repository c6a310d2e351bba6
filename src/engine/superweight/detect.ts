import { basename } from "node:path";
import type { Candidate, DetectPreview, DetectReport, ExpertsReport, LayerPeaks } from "#shared/detection.ts";
import { KeystoneError } from "#shared/errors.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { median } from "#engine/evaluate/metrics.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import { chooseMeasured, propose, yardstick, type Proposal, type Yardstick } from "./evidence/candidates.ts";
import { describeCandidate, isVital, type Known } from "./describe.ts";
import { EffectMeasure, type Effects } from "./effect/effects.ts";
import { findingOf } from "./finding.ts";
import { readNormGains } from "./evidence/normGain.ts";
import { probeId } from "./effect/probes.ts";
import { expertsReportOf } from "./evidence/superExperts.ts";
import { chooseOthers, largestOfLayer, type OtherPlace } from "./effect/otherWeights.ts";
import { promptForms } from "./evidence/promptForms.ts";
import { PromptPass } from "./evidence/promptPass.ts";
import { publishedResultsFor } from "./published/publishedResults.ts";
import { tokensOf, type DetectRequest, type Search } from "./detectionRun.ts";
import { byEffect } from "./effect/verdicts.ts";
import { newlySeen, openWatchers } from "./watchers.ts";

/** Super experts whose loss is measured at most, the largest outputs first. */
const MEASURED_EXPERTS = 8;

/** What evidence alone must show where effects are not asked for: the paper's rule, relative to the median. */
const EVIDENCE_TIMES = 8;
const EVIDENCE_SHARE = 0.5;

/**
 * Finds super weights [arXiv:2411.07191, section 3]: evidence proposes, effect decides. The prompt runs once through the unmodified model;
 * outputs that stand out are traced to the weights behind them. Then the model reads a text without each of these weights, without
 * whole columns, without all of them, and without weights that nothing speaks for (the null), in one stream over the layers; the
 * prompt runs along with candidates zeroed, to see what they hide. What matters is measured more closely in a second stream.
 * Memory: one layer in f32, and the text's hidden states of every change.
 * @throws KeystoneError detect/empty-prompt, detect/prompt-too-long, detect/not-finite, detect/no-text, checkpoint/not-finite, job/cancelled
 */
export async function detect(request: DetectRequest): Promise<DetectReport> {
  const begin = performance.now();
  const { architecture, tokenizer, options } = request;
  const forms = promptForms(tokenizer, options.prompt, architecture.facts.contextLength);
  const search: Search = {
    request,
    forms,
    reader: createLayerReader(request),
    meter: createMeter(architecture.facts.layers * tokensOf(forms), "tokens·layers", request),
    largest: [],
    passes: [],
    open: [],
    experts: null,
  };
  const first = await unmodifiedPass(search);
  search.experts = expertsReportOf(architecture, first.experts);
  const layers = first.report().layers;
  const measure = yardstick(options, median(layers.map(({ output }) => Math.abs(output.value))));
  const proposals = propose(architecture, first.evidence, measure, { pass: 1, after: [] });
  const gains = await readNormGains(request, proposals);
  const unmeasured: Known = { tokenizer, forms, measure, gains, effects: null };
  request.onPreview?.({ layers, candidates: proposals.map((it) => describeCandidate(it, unmeasured)) });
  const { measured, left } = chooseMeasured(proposals, options.maxCandidates);
  if (left.length > 0 && options.effect)
    search.open.push(
      `${left.length} weaker candidates were not measured; raise the limit of ${options.maxCandidates} candidates to measure them.`,
    );
  const found = options.effect
    ? await measureAll(search, measure, measured)
    : { effects: null, later: [] as Proposal[] };
  const known: Known = { ...unmeasured, effects: found.effects };
  const all = [...proposals, ...found.later].map((proposal) => describeCandidate(proposal, known));
  return reportOf(search, all, found.effects, measure, layers, begin);
}

/** The prompt through the unmodified model; the largest weights are noted on the way. */
async function unmodifiedPass(search: Search): Promise<PromptPass> {
  const { request, forms, reader, meter, largest } = search;
  const { architecture, checkpoint, forward, options } = request;
  const hidden = await forward.embed(
    checkpoint,
    forms.map(({ ids }) => ids),
  );
  const pass = new PromptPass(1, [], hidden, forms);
  const { layers } = architecture.facts;
  for (let layer = 0; layer < layers; layer++) {
    const weights = await reader.read(layer);
    await pass.step(request, layer, weights);
    requireFinite(pass.evidence[layer].peaks);
    if (options.effect) largest.push(...(await largestOfLayer(architecture, layer, weights)));
    request.onPreview?.({ layers: pass.report().layers, candidates: [] });
    await meter.advance(tokensOf(forms), `prompt, layer ${layer + 1} of ${layers}`);
  }
  search.passes.push(pass);
  request.onPass?.(pass.report());
  return pass;
}

async function measureAll(
  search: Search,
  measure: Yardstick,
  measured: readonly Proposal[],
): Promise<{ effects: Effects; later: Proposal[] }> {
  const { request, reader, meter, largest } = search;
  const { options, text } = request;
  if (text === undefined) throw noText();
  const others = await withValues(request, chooseOthers(request, largest, measured, options.nullWeights));
  const measuring = new EffectMeasure(request, reader, meter, measure, text);
  const watchers = await openWatchers(search, measured);
  const experts = search.experts?.superExperts.slice(0, MEASURED_EXPERTS) ?? [];
  const first = await measuring.first(measured, others, experts, async (layer, weights) => {
    for (const watcher of watchers) {
      await watcher.step(request, layer, weights);
      await meter.advance(tokensOf(search.forms), `pass ${watcher.pass}, layer ${layer + 1}`);
    }
  });
  for (const watcher of watchers) request.onPass?.(watcher.report());
  search.passes.push(...watchers);
  request.onPreview?.(previewOf(search, measured, first, measure));
  const later = newlySeen(search, watchers, measure, measured);
  const effects = await measuring.second(first, measured, others, later);
  await measuring.complete([...measured, ...later].filter((it) => isVital(it, effects)));
  return { effects, later };
}

async function withValues({ checkpoint }: Engine, places: readonly OtherPlace[]): Promise<OtherPlace[]> {
  const read = async (place: OtherPlace): Promise<OtherPlace> => {
    if (!Number.isNaN(place.value)) return place;
    const row = await checkpoint.readRows(place.tensor, [place.row]);
    return { ...place, value: row[place.column] };
  };
  const filled: OtherPlace[] = [];
  for (const place of places) filled.push(await read(place));
  return filled;
}

function previewOf(
  search: Search,
  measured: readonly Proposal[],
  effects: Effects,
  measure: Yardstick,
): DetectPreview {
  const { forms, request } = search;
  const known: Known = { tokenizer: request.tokenizer, forms, measure, gains: new Map(), effects };
  const candidates = measured.map((it) => describeCandidate(it, known));
  return { layers: search.passes[0].report().layers, candidates: candidates.sort(byEffect) };
}

function reportOf(
  search: Search,
  all: readonly Candidate[],
  effects: Effects | null,
  measure: Yardstick,
  layers: LayerPeaks[],
  begin: number,
): DetectReport {
  const { request, forms, passes, open } = search;
  const { architecture, checkpoint, tokenizer, options, forward } = request;
  const isSuper = (it: Candidate): boolean =>
    effects === null ? provenByEvidence(it) : it.verdict === "super" || it.verdict === "together";
  const superWeights = all.filter(isSuper).sort((a, b) => rank(a) - rank(b) || byEffect(a, b));
  const candidates = all.filter((it) => !isSuper(it)).sort(byEffect);
  const top = layers.reduce((most, it) =>
    Math.abs(it.residual.value) > Math.abs(most.residual.value) ? it : most,
  );
  const [{ ids }] = forms;
  const maximum = { ...top.residual, layer: top.layer, text: tokenizer.tokenText(ids[top.residual.token]) };
  const judged = effects?.judged ?? null;
  return {
    model: basename(checkpoint.path),
    fingerprint: checkpoint.fingerprint,
    revision: checkpoint.revision,
    options,
    finding: findingOf(superWeights, candidates, judged, maximum),
    tokens: ids.map((id) => ({ id, text: tokenizer.tokenText(id) })),
    superWeights,
    candidates,
    columns: [...(effects?.columns ?? [])],
    pairs: [...(effects?.pairs ?? [])],
    others: [...(effects?.others ?? [])],
    judged,
    maximum,
    experts: withEffects(search.experts, effects),
    publishedResults: publishedResultsFor(basename(checkpoint.path), architecture.facts),
    open: [...open],
    layers,
    passes: passes.map((pass) => pass.report()),
    medianOutput: measure.medianOutput,
    thresholdOutput: measure.thresholdOutput,
    device: forward.device.used,
    seconds: (performance.now() - begin) / 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** What the model loses without each super expert, where that was measured. */
function withEffects(experts: ExpertsReport | null, effects: Effects | null): ExpertsReport | null {
  if (experts === null) return null;
  const superExperts = experts.superExperts.map((it) => ({
    ...it,
    effect: effects?.changes.get(probeId.expert(it)) ?? null,
  }));
  return { ...experts, superExperts };
}

/** What matters alone comes before what matters together. */
function rank({ verdict }: Candidate): number {
  return verdict === "together" ? 1 : 0;
}

function provenByEvidence({ verdict, timesMedian, share }: Candidate): boolean {
  return verdict === "unmeasured" && timesMedian >= EVIDENCE_TIMES && share >= EVIDENCE_SHARE;
}

function requireFinite({ layer, input, output, residual }: LayerPeaks): void {
  if ([input, output, residual].every((peak) => Number.isFinite(peak.value))) return;
  throw new KeystoneError(
    "detect/not-finite",
    `The forward pass gives values that are not finite in layer ${layer}.`,
    "Check that the checkpoint is complete and its config.json belongs to it.",
    { layer },
  );
}

function noText(): KeystoneError {
  return new KeystoneError(
    "detect/no-text",
    "Effects were asked for, but no text was given to measure them on.",
    "Give a text, or leave effects out.",
  );
}
