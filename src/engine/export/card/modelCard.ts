import { armOf } from "#shared/recipe.ts";
import { namesInLine } from "#shared/inventory.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { Scores } from "#shared/evaluation.ts";
import { agreementOf } from "#shared/verification.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { inline, number, table, yamlText } from "./cardMarkup.ts";
import { reproduceSection } from "./cardReproduce.ts";
import { bytesText } from "#engine/files/output/diskErrors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { RestoredWeight } from "#engine/formats/write/restoredWeights.ts";

/** The card without the list of files: its own hash stands there. */
export type CardFacts = Omit<Manifest, "files"> & { readonly weightBytes: number };

/** Restored weights a card spells out; keystone.json holds all of them. */
const MAX_LISTED = 64;

/** README.md of an export: everything a person needs to know about the file, from its manifest alone. */
export function modelCard(facts: CardFacts): string {
  return (
    [
      frontMatter(facts),
      heading(facts),
      introduction(facts),
      "## What loads it",
      loadersSection(facts),
      "## Recipe",
      recipeTable(facts),
      "## Restored weights",
      restoredSection(facts),
      ...leftSection(facts),
      "## Results",
      resultsSection(facts),
      "## Reproduce",
      reproduceSection(facts),
    ].join("\n\n") + "\n"
  );
}

function frontMatter(facts: CardFacts): string {
  const { source, packing, format, quantizedBits } = facts;
  const license = Object.entries(source.license ?? {}).map(
    ([key, value]) => `${key}: ${yamlText(value ?? "")}`,
  );
  const quantized = quantizedBits !== null;
  const tags = [
    "keystone",
    ...(quantized ? ["quantization"] : []),
    ...(packing === "packed" ? [format] : quantized ? ["dequantized"] : []),
    ...(quantized ? [`${quantizedBits}-bit`] : []),
  ];
  return [
    "---",
    `base_model: ${yamlText(source.name)}`,
    ...(quantized ? ["base_model_relation: quantized"] : []),
    `library_name: ${exportFormatOf(format).library}`,
    "pipeline_tag: text-generation",
    ...license,
    "tags:",
    ...tags.map((tag) => `  - ${yamlText(tag)}`),
    "---",
  ].join("\n");
}

function heading({ source, recipe, quantizedBits }: CardFacts): string {
  const what = quantizedBits === null ? "nothing quantized" : recipeLabel(recipe);
  return `# ${inline(source.name)}, ${inline(what)}`;
}

function introduction(facts: CardFacts): string {
  const { source, quantizedTensors, weightBytes, bitsPerWeight, packing, format, changes } = facts;
  if (quantizedTensors === 0)
    return [
      `${inline(source.name)} with no tensor quantized: the recipe below leaves every one alone. The weight files hold`,
      `${bytesText(weightBytes)}; every weight has the source's value.`,
      ...changes.map(({ text }) => `\n${inline(text)}`),
    ].join("\n");
  if (packing === "packed") {
    return [
      `${inline(source.name)} with ${quantizedTensors} tensors quantized by the recipe below and packed as ${format}: the weight files hold`,
      `${bytesText(weightBytes)}, ${number(bitsPerWeight)} bits per quantized weight. What was judged is what these files hold.`,
      ...changes.map(({ text }) => `\n${inline(text)}`),
    ].join("\n");
  }
  return [
    `${inline(source.name)} with ${quantizedTensors} tensors quantized by the recipe below and **dequantized** again.`,
    `The weights carry the recipe's rounding but are stored unpacked in the checkpoint's own types: the weight files hold`,
    `${bytesText(weightBytes)}. They are made for study and for loading anywhere; the ${number(bitsPerWeight)} bits per weight below are what a`,
    "packed format needs, and packed files are exported separately.",
  ].join("\n");
}

/** Which programs read the format, and what they do not do with this variant. */
function loadersSection({ format, notes }: CardFacts): string {
  const { title, loadsIn } = exportFormatOf(format);
  const programs = `${title} is read by ${new Intl.ListFormat("en").format(loadsIn)}.`;
  if (notes.length === 0) return programs;
  return [
    programs,
    "Of these files in particular:",
    notes.map(({ text }) => `- ${inline(text)}`).join("\n"),
  ].join("\n\n");
}

/** What the source holds and its model is not computed with; its files beside the weights are another matter. */
function leftSection({ source }: CardFacts): string[] {
  const groups = (source.notUsed ?? []).filter(({ kind }) => kind === "tensor");
  if (groups.length === 0) return [];
  const rows = groups.map((group) => [namesInLine(group), group.text]);
  return [
    "## Left out of the source",
    `These tensors of the source take no part in what was judged and are not in these files.\n\n${table(["tensors", "because"], rows)}`,
  ];
}

function recipeTable(facts: CardFacts): string {
  const { recipe, recipeId, asked, quantizedTensors, bitsPerWeight, fileBitsPerWeight } = facts;
  const applied = [
    ["scheme", recipe.scheme],
    ["bits", String(recipe.bits)],
    ["symmetric", recipe.symmetric ? "yes" : "no"],
    ["granularity", recipe.granularity],
    ["range", recipe.range ? JSON.stringify(recipe.range) : "none"],
    ["method", recipe.method],
    ["restore", JSON.stringify(recipe.restore)],
    ["exclude from range", recipe.excludeFromRange ? "yes" : "no"],
    ["arm", armOf(recipe)],
  ];
  return table(
    ["field", "value"],
    [
      ...(quantizedTensors > 0 ? applied : []),
      ["not quantized", recipe.ignore.length > 0 ? recipe.ignore.join(", ") : "nothing"],
      ["overrides", recipe.overrides.length > 0 ? JSON.stringify(recipe.overrides) : "none"],
      ...(quantizedTensors > 0
        ? [["bits per weight (quantized linears, packed)", number(bitsPerWeight)]]
        : []),
      ["bits per weight (whole file)", number(fileBitsPerWeight)],
      ["recipe id", recipeId],
      ...(asked.recipeId === recipeId
        ? []
        : [
            ["asked for: restore", JSON.stringify(asked.recipe.restore)],
            ["asked for: recipe id", asked.recipeId],
          ]),
    ],
  );
}

function restoredSection(facts: CardFacts): string {
  const { asked, recipe, restored } = facts;
  if (restored.held.length > 0) return heldSection(facts);
  if (restored.count === 0)
    return armOf({ ...asked.recipe, range: null, excludeFromRange: false }) === "plain"
      ? "None: no weight was put back after dequantization."
      : `None: restoring ${inline(JSON.stringify(asked.recipe.restore))} was asked for, which is no quantized weight of this model.`;
  if (restored.weights.length === 0) {
    const each =
      typeof recipe.restore === "object" && !Array.isArray(recipe.restore)
        ? ` (the ${recipe.restore.largest} largest by magnitude of each quantized tensor)`
        : "";
    return `${counted(restored.count)} weights were put back exactly${each}.`;
  }
  return `${counted(restored.count)} put back exactly; row is the output channel, column the input channel.\n\n${placesTable(restored.weights)}`;
}

/** Weights whose modules are kept whole. */
function heldSection({ asked, format, restored: { held } }: CardFacts): string {
  const { title } = exportFormatOf(format);
  const one = held.length === 1;
  const modules = one ? "the module that holds it" : "the modules that hold them";
  const weights = one ? "this weight is" : "these weights are";
  const become =
    asked.kept === "8-bit"
      ? `${one ? "gets" : "get"} 8 bits as a whole, so ${weights} near ${one ? "its value" : "their values"}, not exact`
      : `${one ? "stays" : "stay"} unquantized as a whole, so ${weights} exact`;
  const restore = Array.isArray(asked.recipe.restore)
    ? "by coordinate"
    : `as ${inline(JSON.stringify(asked.recipe.restore))}`;
  const head = `The recipe that was asked for restores ${counted(held.length)} ${one ? "weight" : "weights"}, named ${restore}.`;
  return `${head} ${title} cannot store one exact weight: ${modules} ${become}. Row is the output channel, column the input channel, value the source's.\n\n${placesTable(held)}`;
}

function placesTable(weights: readonly RestoredWeight[]): string {
  const rows = weights
    .slice(0, MAX_LISTED)
    .map((w) => [
      w.tensor,
      w.layer === null ? "" : String(w.layer),
      String(w.row),
      String(w.column),
      String(w.value),
    ]);
  const more = weights.length - rows.length;
  const rest = more > 0 ? `\n\nand ${counted(more)} more, listed in keystone.json.` : "";
  return `${table(["tensor", "layer", "row", "column", "value"], rows)}${rest}`;
}

function counted(count: number): string {
  return count.toLocaleString("en-US");
}

function resultsSection({ results, verified, quantizedTensors }: CardFacts): string {
  const rows: string[][] = [];
  if (results?.original) rows.push(["original", ...scoreCells(results.original)]);
  if (results) rows.push(["this recipe, as judged", ...scoreCells(results.variant)]);
  if (verified)
    rows.push(["this export, reopened", number(verified.perplexity), "", "", "", String(verified.tokens)]);
  const runtime = verified?.runtime ?? null;
  if (runtime?.notRun === null)
    rows.push([
      `this export, in ${inline(runtime.name)}`,
      number(runtime.perplexity),
      ...["", "", ""],
      String(verified?.tokens),
    ]);
  const parts =
    rows.length > 0
      ? [table(["model", "perplexity", "NLL (nats)", "KL mean (nats)", "top-1 agreement", "tokens"], rows)]
      : ["Not judged on a text."];
  if (results) {
    const { text, convention, sqnrDb } = results;
    const sqnr = quantizedTensors > 0 ? ` SQNR of the quantized weights: ${number(sqnrDb)} dB.` : "";
    parts.push(`Text: ${inline(text.name)}, SHA-256 \`${text.sha256}\`. ${inline(convention.text)}${sqnr}`);
  }
  parts.push(verifiedText(verified));
  if (runtime?.notRun) parts.push(inline(runtime.notRun));
  return parts.join("\n\n");
}

function verifiedText(verified: CardFacts["verified"]): string {
  if (!verified) return "Not verified: the file was not read back.";
  const weights = `every tensor was read back and compared with the judged weights; the largest difference is ${verified.maxAbsDiff}`;
  return {
    same: `Verified: ${weights}, and the files score what was judged.`,
    other: `Not verified: the files score another number than was judged, although ${weights}.`,
    "no number": `Not verified: neither the judged weights nor the files give a finite perplexity; ${weights}.`,
  }[agreementOf(verified)];
}

function scoreCells({ perplexity, nll, kl, tokens }: Scores): string[] {
  return [
    number(perplexity),
    number(nll),
    kl ? number(kl.mean) : "",
    kl ? number(kl.topAgreement) : "",
    String(tokens),
  ];
}
