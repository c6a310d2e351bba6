import { armOf } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { Scores } from "#shared/evaluation.ts";
import { bytesText } from "./diskErrors.ts";
import { exporters } from "./exporters.ts";
import type { Manifest } from "./manifest.ts";

/** The card without the list of files: its own hash stands there. */
export type CardFacts = Omit<Manifest, "files"> & { readonly weightBytes: number };

/** Restored weights a card spells out; keystone.json holds all of them. */
const MAX_LISTED = 64;

/** README.md of an export: everything a person needs to know about the file, from its manifest alone. */
export function modelCard(facts: CardFacts): string {
  return (
    [
      frontMatter(facts),
      `# ${inline(facts.source.name)}, ${inline(recipeLabel(facts.recipe))}`,
      introduction(facts),
      "## What loads it",
      loadersSection(facts),
      "## Recipe",
      recipeTable(facts),
      "## Restored weights",
      restoredSection(facts),
      "## Results",
      resultsSection(facts),
      "## Reproduce",
      reproduceSection(facts),
    ].join("\n\n") + "\n"
  );
}

function frontMatter({ source, recipe, packing, format }: CardFacts): string {
  const license = Object.entries(source.license ?? {}).map(
    ([key, value]) => `${key}: ${yamlText(value ?? "")}`,
  );
  const tags = [
    "keystone",
    "quantization",
    packing === "packed" ? format : "dequantized",
    `${recipe.bits}-bit`,
  ];
  return [
    "---",
    `base_model: ${yamlText(source.name)}`,
    "base_model_relation: quantized",
    "library_name: transformers",
    "pipeline_tag: text-generation",
    ...license,
    "tags:",
    ...tags.map((tag) => `  - ${yamlText(tag)}`),
    "---",
  ].join("\n");
}

/** A JSON string is a YAML string. */
function yamlText(text: string): string {
  return JSON.stringify(text);
}

function introduction(facts: CardFacts): string {
  const { source, quantizedTensors, weightBytes, bitsPerWeight, packing, format, changes } = facts;
  if (packing === "packed") {
    return [
      `${inline(source.name)} with ${quantizedTensors} tensors quantized by the recipe below and packed as ${format}: the weight files hold`,
      `${bytesText(weightBytes)}, ${number(bitsPerWeight)} bits per quantized weight. What was judged is what these files hold.`,
      ...changes.map((change) => `\n${inline(change)}`),
    ].join("\n");
  }
  return [
    `${inline(source.name)} with ${quantizedTensors} tensors quantized by the recipe below and **dequantized** again.`,
    `The weights carry the recipe's rounding but are stored in the checkpoint's own types: the weight files hold ${bytesText(weightBytes)},`,
    `as many as the source's. They are made for study and for loading anywhere; the ${number(bitsPerWeight)} bits per weight below are what a`,
    "packed format needs, and packed files are exported separately.",
  ].join("\n");
}

/** Which programs read the format, and what they do not do with this variant. */
function loadersSection({ format, notes }: CardFacts): string {
  const { title, loadsIn } = exporters[format].describe();
  const programs = `${title} is read by ${new Intl.ListFormat("en").format(loadsIn)}.`;
  if (notes.length === 0) return programs;
  return [
    programs,
    "Of these files in particular:",
    notes.map((note) => `- ${inline(note)}`).join("\n"),
  ].join("\n\n");
}

function recipeTable({ recipe, recipeId, bitsPerWeight, fileBitsPerWeight }: CardFacts): string {
  return table(
    ["field", "value"],
    [
      ["codec", recipe.codec],
      ["bits", String(recipe.bits)],
      ["symmetric", recipe.symmetric ? "yes" : "no"],
      ["block", recipe.block],
      ["clip", recipe.clip ? JSON.stringify(recipe.clip) : "none"],
      ["restore", JSON.stringify(recipe.restore)],
      ["hold out", recipe.holdOut ? "yes" : "no"],
      ["arm", armOf(recipe)],
      ["left alone", recipe.keep.length > 0 ? recipe.keep.join(", ") : "nothing"],
      ["overrides", recipe.overrides.length > 0 ? JSON.stringify(recipe.overrides) : "none"],
      ["bits per weight (quantized linears, packed)", number(bitsPerWeight)],
      ["bits per weight (whole file)", number(fileBitsPerWeight)],
      ["recipe id", recipeId],
    ],
  );
}

function restoredSection({ recipe, restored }: CardFacts): string {
  if (restored.count === 0) return "None: no weight was put back after dequantization.";
  if (restored.weights.length === 0) {
    const each =
      typeof recipe.restore === "object" && !Array.isArray(recipe.restore)
        ? ` (the ${recipe.restore.largest} largest by magnitude of each quantized tensor)`
        : "";
    return `${restored.count.toLocaleString("en-US")} weights were put back exactly${each}.`;
  }
  const listed = restored.weights.slice(0, MAX_LISTED);
  const rows = listed.map((w) => [
    w.tensor,
    w.layer === null ? "" : String(w.layer),
    String(w.row),
    String(w.column),
    String(w.value),
  ]);
  const more = restored.weights.length - listed.length;
  const head = `${restored.count.toLocaleString("en-US")} put back exactly; row is the output channel, column the input channel.`;
  const rest = more > 0 ? `\n\nand ${more.toLocaleString("en-US")} more, listed in keystone.json.` : "";
  return `${head}\n\n${table(["tensor", "layer", "row", "column", "value"], rows)}${rest}`;
}

function resultsSection({ results, verified }: CardFacts): string {
  const rows: string[][] = [];
  if (results?.original) rows.push(["original", ...scoreCells(results.original)]);
  if (results) rows.push(["this recipe, as judged", ...scoreCells(results.variant)]);
  if (verified)
    rows.push(["this export, reopened", number(verified.perplexity), "", "", "", String(verified.tokens)]);
  const parts =
    rows.length > 0
      ? [table(["model", "perplexity", "NLL (nats)", "KL mean (nats)", "top-1 agreement", "tokens"], rows)]
      : ["Not judged on a text."];
  if (results)
    parts.push(
      `Text: ${inline(results.text)}. ${inline(results.convention.text)} SQNR of the quantized weights: ${number(results.sqnrDb)} dB.`,
    );
  parts.push(
    verified
      ? `Verified: every tensor was read back and compared with the judged weights; the largest difference is ${verified.maxAbsDiff}.`
      : "Not verified: the file was not read back.",
  );
  return parts.join("\n\n");
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

function reproduceSection({ recipe, source, versions, format }: CardFacts): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const model = commandWord(source.name, "MODEL");
  const out = commandWord(`${source.name.split("/").at(-1) ?? ""}-${recipe.codec}${recipe.bits}`, "OUT");
  return [
    "Save as `recipe.json`:",
    `\`\`\`json\n${JSON.stringify(recipe, null, 2)}\n\`\`\``,
    "Then, in Keystone's folder:",
    `\`\`\`sh\nnpm run -s keystone -- export ${model} --recipe recipe.json --format ${format} --out ${out}\n\`\`\``,
    `Made with ${named.map(inline).join(", ")}. Source fingerprint: \`${source.fingerprint}\`. Hashes of the source's weights and of every file here are in \`keystone.json\`.`,
  ].join("\n\n");
}

/** A name as a word of a command; one that a shell or Markdown could take for more is left for the person to fill in. */
function commandWord(name: string, otherwise: string): string {
  return /^\w[\w./-]*$/.test(name) ? name : otherwise;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(" | ")} |`;
  return [line(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Text from files and folders, kept from becoming Markdown or HTML of its own. */
function inline(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replace(/[\\`*_[\]<>|]/g, (sign) => `\\${sign}`);
}

/** Up to six significant digits; what is not finite is said so. */
function number(value: number | null): string {
  return value === null ? "not finite" : String(Number(value.toPrecision(6)));
}
