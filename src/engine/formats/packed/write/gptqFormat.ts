import { vllmTakesGptq } from "#shared/exportFormats/gptq.ts";
import type { Note } from "#shared/notes.ts";
import type { ExportSource } from "../../write/exporter.ts";
import type { ExportVariant } from "../../write/exportedVariant.ts";
import { CONFIG_FILE } from "../../write/sourceIndex.ts";
import { gptqLayout } from "./gptqLayout.ts";
import { fusedNotes, vllmGroupNotes } from "./vllmNotes.ts";
import { packedExporter } from "./packedExporter.ts";
import { moduleOf, packedConfig, schemesOf, unquantizedLinears, type PackedScheme } from "./packedSchemes.ts";

const WORD = 32;
const VERSION_2: Note = {
  code: "gptq/version-2",
  text: "Asymmetric codes are written as gptq_v2, because version 1 cannot hold a zero point of 0: GPT-QModel and transformers with it read it, vLLM and older loaders do not.",
};
const NARROW: Note = {
  code: "gptq/narrow",
  text: "vLLM reads GPTQ of 4 and 8 bits only; GPT-QModel and transformers with it read this variant.",
};
const MIXED: Note = {
  code: "gptq/mixed",
  text: "transformers' GPTQ loader knows one width and group for all packed modules, so it does not load this variant; GPT-QModel does. Modules that stay unquantized it takes.",
};

export const gptqExporter = packedExporter({
  limits: {
    subject: "GPTQ",
    scheme: "gptq-int",
    alsoInt: true,
    bits: [2, 3, 4, 8],
    symmetric: true,
    groups: [16, 32, 64, 128, 256, 512, 1024],
    channel: true,
    head: false,
    embedding: false,
    // codes of 3 bits fill whole words only by 32
    multiples: (bits) =>
      bits === 3 ? { rows: WORD, columns: WORD } : { rows: WORD / bits, columns: WORD / bits },
  },
  layoutOf: (variant) => gptqLayout(versionOf(variant)),
  files: (source) => {
    const settings = quantizationConfig(source);
    return new Map<string, unknown>([
      [CONFIG_FILE, packedConfig(source.model.checkpoint, source.variant.plans.values(), settings)],
      ["quantize_config.json", settings],
    ]);
  },
  notes: (source) => {
    const { variant } = source;
    const schemes = schemesOf(variant.plans.values());
    return [
      ...vllmGroupNotes(schemes),
      ...(versionOf(variant) === 2 ? [VERSION_2] : []),
      ...(schemes.some(({ bits }) => !vllmTakesGptq({ bits, symmetric: true })) ? [NARROW] : []),
      ...(schemes.length > 1 ? [MIXED] : []),
      ...fusedNotes(source),
    ];
  },
});

/** Version 1, which every loader knows, where it can hold the zero points. */
function versionOf({ plans }: Pick<ExportVariant, "plans">): 1 | 2 {
  return [...plans.values()].every(({ symmetric }) => symmetric) ? 1 : 2;
}

function quantizationConfig(source: ExportSource): Record<string, unknown> {
  const { model, variant } = source;
  const [main, ...others] = schemesOf(variant.plans.values());
  const unquantized = unquantizedLinears(model.checkpoint, variant.plans).map(({ name }) => moduleOf(name));
  const dynamic = Object.fromEntries([
    ...unquantized.map((name): [string, unknown] => [`-:${exactly(name)}`, {}]),
    ...others.flatMap((scheme) =>
      scheme.modules.map((name): [string, unknown] => [`+:${exactly(name)}`, settingsOf(scheme)]),
    ),
  ]);
  const packed = [...variant.plans.keys()].map(moduleOf);
  return {
    quant_method: "gptq",
    ...settingsOf(main),
    desc_act: false,
    checkpoint_format: versionOf(variant) === 1 ? "gptq" : "gptq_v2",
    pack_dtype: "int32",
    lm_head: false,
    true_sequential: false,
    ...(Object.keys(dynamic).length > 0 ? { dynamic } : {}),
    // transformers' loader knows no rules, but which modules are packed
    ...(unquantized.length > 0 ? { modules_in_block_to_quantize: [packed] } : {}),
  };
}

function settingsOf({ bits, symmetric, groupSize }: PackedScheme): Record<string, unknown> {
  return { bits, group_size: groupSize ?? -1, sym: symmetric };
}

/** A regular expression that matches one module's name. */
function exactly(name: string): string {
  return `^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`;
}
