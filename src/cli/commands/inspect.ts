import { paceSince } from "#shared/contract/pace.ts";
import { textsOf } from "#shared/notes.ts";
import { Command } from "commander";
import { inventorySentence, namesInLine, unusedGroups } from "#shared/inventory.ts";
import { storedAs, type ModelSummary, type TensorStatistics } from "#shared/model.ts";
import { absolute, textFor } from "../session/files.ts";
import { usageError } from "../session/reportError.ts";
import { withCommonOptions, type CommonOptions } from "../session/options.ts";
import { count, fileSize, fixed, memorySize, shortCount } from "../output/numbers.ts";
import { factList, textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";
import type { Session } from "../session/session.ts";

interface InspectOptions extends CommonOptions {
  statistics: boolean;
  tryAs?: string;
  text?: string;
}

/** `inspect MODEL`: what is in a checkpoint, tensor by tensor. */
export function inspectCommand(context: CommandContext): Command {
  const command = new Command("inspect")
    .description("show a checkpoint's architecture and its tensors with their largest values and kurtosis")
    .argument("<model>", "folder of the checkpoint")
    .option(
      "--no-statistics",
      "read the headers only, not the weights: instant, without absMax and kurtosis (default: weights are read)",
    )
    .option(
      "--try-as <family>",
      "compute a model whose type is not known as one of this family, and hold the perplexity of a passage against chance (default: it is only looked at)",
    )
    .option(
      "--text <file>",
      "text that --try-as is judged by, or builtin for the long one that ships with Keystone (default: a short English passage)",
    );
  return withCommonOptions(command).action((model: string, options: InspectOptions) =>
    context.session(options, async (session) => {
      if (options.text !== undefined && options.tryAs === undefined)
        throw usageError("--text was given without --try-as, which alone reads it.", "Leave it out.");
      const summary = await session.studio.call("model:open", { path: absolute(session.io, model) });
      const statistics = options.statistics
        ? await readStatistics(session, summary)
        : new Map<string, TensorStatistics>();
      const tried =
        options.tryAs === undefined
          ? null
          : await session.studio.call("model:try", {
              ...{ path: summary.path, family: options.tryAs },
              ...(options.text === undefined ? {} : { text: await textFor(session.io, options.text, model) }),
            });
      session.print(
        { ...inspectDocument(summary, statistics), ...(tried && { tried }) },
        () => `${inspectText(summary, statistics)}${tried ? `\n${tried.text}\n` : ""}`,
      );
    }),
  );
}

/** Statistics of every tensor, a few at a time so that reading and computing overlap. */
async function readStatistics(
  session: Session,
  summary: ModelSummary,
): Promise<Map<string, TensorStatistics>> {
  const names = summary.tensors.map((tensor) => tensor.name);
  const found = new Map<string, TensorStatistics>();
  const started = performance.now();
  const next = names.values();
  const lane = async (): Promise<void> => {
    for (const name of next) {
      found.set(name, await session.studio.call("tensor:statistics", { path: summary.path, name }));
      const counted = { done: found.size, total: names.length };
      const pace = paceSince((performance.now() - started) / 1000, counted);
      session.progress.update({ ...counted, unit: "tensors", phase: "Reading weights", ...pace });
    }
  };
  await Promise.all([lane(), lane()]);
  session.progress.stop();
  return found;
}

function inspectDocument(summary: ModelSummary, statistics: ReadonlyMap<string, TensorStatistics>): object {
  const { architecture, tensors, ...rest } = summary;
  return {
    ...rest,
    architecture: architecture.name,
    layers: architecture.layers,
    facts: architecture,
    tensors: tensors.map((tensor) => {
      const found = statistics.get(tensor.name);
      const notFinite = found && found.notFiniteCount > 0 ? { notFinite: true } : {};
      return {
        ...tensor,
        absMax: found?.absMax ?? null,
        kurtosis: found?.kurtosis ?? null,
        notFiniteCount: found?.notFiniteCount ?? null,
        ...notFinite,
      };
    }),
  };
}

function inspectText(summary: ModelSummary, statistics: ReadonlyMap<string, TensorStatistics>): string {
  const facts = summary.architecture;
  const head = factList([
    ["Model", summary.path],
    [
      "Architecture",
      `${facts.name} (${facts.family}), ${facts.norm}, ${facts.position}, ${facts.activation}`,
    ],
    ["Parameters", `${count(summary.parameters)} (${shortCount(summary.parameters)})`],
    ["Layers", `${facts.layers}, hidden ${count(facts.hiddenSize)}, MLP ${count(facts.intermediateSize)}`],
    ["Attention", `${facts.heads} heads over ${facts.keyValueHeads} key/value heads of ${facts.headSize}`],
    [
      "Vocabulary",
      `${count(facts.vocabulary)}${facts.tiedEmbeddings ? ", head tied to the embeddings" : ""}`,
    ],
    ["Context", `${count(facts.contextLength)} tokens`],
    [
      "Files",
      `${summary.shards.length} with ${fileSize(summary.bytes)}, ${Object.entries(summary.dtypes)
        .map(([type, n]) => `${type} ${shortCount(n)}`)
        .join(", ")}`,
    ],
    ["Inventory", inventorySentence(summary.inventory)],
    [
      "Memory",
      `detect ${memorySize(summary.memory.detect)}, sweep ${memorySize(summary.memory.sweepPerWorker)} per worker, export ${memorySize(summary.memory.export)}`,
    ],
  ]);
  const table = textTable(
    [
      { title: "tensor" },
      { title: "shape", align: "right" },
      { title: "dtype" },
      { title: "absMax", align: "right" },
      { title: "kurtosis", align: "right" },
    ],
    summary.tensors.map((tensor) => {
      const found = statistics.get(tensor.name);
      const bad = (found?.notFiniteCount ?? 0) > 0;
      return [
        tensor.name,
        tensor.shape.join(" × "),
        storedAs(tensor),
        fixed(found?.absMax, 4, bad),
        fixed(found?.kurtosis, 1, bad),
      ];
    }),
  );
  const groups = unusedGroups(summary.inventory);
  const unused = textTable(
    [{ title: "not used" }, { title: "kind" }, { title: "because" }],
    groups.map((group) => [namesInLine(group), group.kind, group.text]),
  );
  const damaged = [...statistics.values()].filter((found) => found.notFiniteCount > 0);
  const warnings = [
    ...textsOf(summary.notes),
    ...(summary.unsupported ? [summary.unsupported] : []),
    ...(summary.unknown?.tryAs ? [`Try it with inspect --try-as ${summary.unknown.tryAs}.`] : []),
    ...damaged.map(
      (found) =>
        `${found.name} holds ${count(found.notFiniteCount)} values that are not finite; detect, eval, sweep and export refuse this checkpoint.`,
    ),
  ];
  return `${head}\n${table}${groups.length > 0 ? `\n${unused}` : ""}${warnings.map((text) => `\nNote: ${text}\n`).join("")}`;
}
