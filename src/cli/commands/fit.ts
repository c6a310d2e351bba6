import { Command, InvalidArgumentError, Option } from "commander";
import { totalmem } from "node:os";
import { basename } from "node:path";
import {
  CACHE_WORDS,
  cacheType,
  fitOf,
  fitRuntime,
  memoryKind,
  type CacheType,
  type Fit,
  type MemoryKind,
} from "#shared/fit.ts";
import { modelWeightBytes } from "#shared/variantSize.ts";
import type { ModelSummary } from "#shared/model.ts";
import { absolute, readRecipe } from "../session/files.ts";
import { wholeNumber, withCommonOptions, type CommonOptions } from "../session/options.ts";
import { count, memorySize } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";
import type { Session } from "../session/session.ts";

interface FitOptions extends CommonOptions {
  memory?: number;
  kind?: MemoryKind;
  context?: number;
  cache: CacheType;
  recipe?: string[];
}

/** One model or variant, and what each runtime makes of it. */
interface FitRow {
  readonly name: string;
  readonly weightBytes: number;
  readonly runtimes: readonly Fit[];
}

const UNITS: Readonly<Record<string, number>> = { mib: 2 ** 20, gib: 2 ** 30, mb: 1e6, gb: 1e9 };
/** Context unless the model knows fewer positions. */
const DEFAULT_CONTEXT = 8192;

/** `fit MODEL --memory 8GiB --context 8192`: whether the original and variants run on a machine, runtime by runtime. */
export function fitCommand(context: CommandContext): Command {
  const command = new Command("fit")
    .description(
      "say whether a model and its variants run in a machine's memory in llama.cpp, transformers and vLLM: weights, keys and values, overhead, longest context",
    )
    .argument("<model>", "folder of the checkpoint")
    .option(
      "--memory <size>",
      "memory of the machine, e.g. 8GiB or 24GB (default: this machine's RAM)",
      memoryBytes,
    )
    .addOption(
      new Option(
        "--kind <kind>",
        "whose memory it is; ram also counts the system (default: gpu where --memory is given, else ram)",
      ).choices(memoryKind.options),
    )
    .option(
      "--context <n>",
      "tokens of one sequence (default: 8192, or the model's own limit where that is smaller)",
      wholeNumber(1, 2 ** 27),
    )
    .addOption(
      new Option("--cache <type>", "precision of keys and values; q8 is what each runtime calls 8 bits")
        .choices(cacheType.options)
        .default("f16"),
    )
    .option("--recipe <files...>", "recipes of variants to set beside the original (default: none)");
  return withCommonOptions(command).action((model: string, options: FitOptions) =>
    context.session(options, async (session) => {
      const summary = await session.studio.call("model:open", { path: absolute(session.io, model) });
      const { memory, kind = memory === undefined ? "ram" : "gpu", cache } = options;
      const asked = {
        machine: { bytes: memory ?? totalmem(), kind },
        context:
          options.context ?? Math.min(DEFAULT_CONTEXT, summary.architecture.contextLength || DEFAULT_CONTEXT),
        cache,
      };
      const sizes = await sizesOf(session, summary, options.recipe ?? []);
      const rows = sizes.map(({ name, weightBytes }): FitRow => ({
        name,
        weightBytes,
        runtimes: fitRuntime.options.map((runtime) =>
          fitOf({ weightBytes, shape: summary.architecture }, { ...asked, runtime }),
        ),
      }));
      const { machine, ...rest } = asked;
      session.print(
        { model: summary.path, memoryBytes: machine.bytes, kind: machine.kind, ...rest, rows },
        () => fitText(summary, asked, rows),
      );
    }),
  );
}

async function sizesOf(
  session: Session,
  summary: ModelSummary,
  files: readonly string[],
): Promise<{ name: string; weightBytes: number }[]> {
  const original = { name: "original", weightBytes: modelWeightBytes(summary) };
  if (files.length === 0) return [original];
  const recipes = await Promise.all(files.map((file) => readRecipe(session.io, file)));
  const sizes = await session.studio.call("model:sizes", { path: summary.path, recipes });
  return [
    original,
    ...sizes.map(({ weightBytes }, i) => ({ name: basename(files[i] ?? "", ".json"), weightBytes })),
  ];
}

function fitText(
  { architecture }: ModelSummary,
  asked: { machine: { bytes: number; kind: MemoryKind }; context: number; cache: CacheType },
  rows: readonly FitRow[],
): string {
  const { machine, context, cache } = asked;
  const where = machine.kind === "gpu" ? "of GPU memory" : "of RAM";
  const table = textTable(
    [
      { title: "" },
      { title: "runtime" },
      ...["weights", "keys, values", "overhead", "total", "usable"].map((title) => ({
        title,
        align: "right" as const,
      })),
      { title: "fits" },
      { title: "room for tokens", align: "right" },
    ],
    rows.flatMap(({ name, runtimes }) =>
      runtimes.map((fit) => [
        name,
        fit.runtime,
        ...[fit.weights, fit.cache, fit.overhead, fit.total, fit.usable].map(memorySize),
        fit.fits ? "yes" : "no",
        fit.longestContext === 0 ? "–" : count(fit.longestContext),
      ]),
    ),
  );
  const beyond =
    architecture.contextLength > 0 && context > architecture.contextLength
      ? [`The model knows ${count(architecture.contextLength)} positions.`]
      : [];
  const window =
    architecture.slidingWindow === null
      ? []
      : [
          `Every layer is counted in full; a runtime that uses the sliding window of ${count(architecture.slidingWindow)} takes less.`,
        ];
  const parts = (rows[0]?.runtimes ?? []).flatMap(({ runtime, parts: own }) =>
    own.map(({ name, bytes, from }) => `  ${runtime}: ${name} ${memorySize(bytes)} (${from})`),
  );
  const caches =
    cache === "q8" ? fitRuntime.options.map((runtime) => `  ${runtime}: ${CACHE_WORDS[runtime]}`) : [];
  return [
    `${memorySize(machine.bytes)} ${where}, one sequence of ${count(context)} tokens, keys and values in ${cache}.\n`,
    table,
    "Overhead of the original:",
    ...parts,
    ...(caches.length > 0 ? ["8 bits of keys and values:", ...caches] : []),
    ...beyond,
    ...window,
    "",
  ].join("\n");
}

/** Reads `8GiB`, `512 MiB`, `24GB`. */
function memoryBytes(text: string): number {
  const [, number, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]i?b)\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const bytes = factor === undefined ? NaN : Math.round(Number(number) * factor);
  if (bytes >= 1e6 && bytes <= 2 ** 50) return bytes;
  throw new InvalidArgumentError("It must be an amount such as 8GiB, 512MiB or 24GB.");
}
