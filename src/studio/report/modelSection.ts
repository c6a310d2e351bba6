import { textsOf } from "#shared/notes.ts";
import { count, fileSize, list, memory, number, place, shortCount } from "#shared/format.ts";
import { inventorySentence, namesInLine, unusedGroups } from "#shared/inventory.ts";
import type { Palette } from "#shared/figures/index.ts";
import { detectionBlocks } from "./detectionBlocks.ts";
import type { Block, Section } from "./document.ts";
import { DEMO_NOTE } from "./paper.ts";
import type { Environment, ReportModel } from "./source.ts";

/** What was judged: the checkpoint, its architecture, its super weights. */
export function modelSection(model: ReportModel, index: number, palette: Palette): Section {
  const { summary, absent, isDemo, detection } = model;
  const notes = [...(absent === null ? [] : [absent]), ...textsOf(summary?.notes ?? [])];
  const blocks: Block[] = [
    ...(isDemo ? [{ kind: "text", text: DEMO_NOTE } as const] : []),
    { kind: "facts", facts: [...identity(model), ...architecture(model)] },
    ...(notes.length > 0 ? [{ kind: "list", items: notes } as const] : []),
    ...inventoryBlocks(model),
    ...(detection ? detectionBlocks(detection, palette) : restoredBlocks(model)),
  ];
  return { id: `model-${index + 1}`, label: `Model · ${model.name}`, finding: null, blocks };
}

/** What the checkpoint holds that its model is not computed with. */
function inventoryBlocks({ name, summary }: ReportModel): Block[] {
  const groups = unusedGroups(summary?.inventory ?? []);
  if (groups.length === 0) return [];
  const columns = ["Not used", "Kind", "Because"].map((title) => ({ title, format: "text" as const }));
  const rows = groups.map((group) => [namesInLine(group), group.kind, group.text]);
  return [
    { kind: "table", label: `What ${name} holds and its model does not use`, table: { columns, rows } },
  ];
}

function identity({ name, path, fingerprint, summary }: ReportModel): [string, string][] {
  return [
    ["Name", name],
    ...(path === "" ? [] : [["Folder", path] as [string, string]]),
    ["Fingerprint", fingerprint],
    ...(summary
      ? ([
          ["Parameters", `${count(summary.parameters)} (${shortCount(summary.parameters)})`],
          [
            "Stored as",
            `${list(Object.keys(summary.dtypes))}, ${fileSize(summary.bytes)} in ${summary.shards.length === 1 ? "one file" : `${summary.shards.length} files`}`,
          ],
          ...(summary.inventory.length > 0 ? [["Inventory", inventorySentence(summary.inventory)]] : []),
        ] as [string, string][])
      : []),
  ];
}

function architecture({ summary }: ReportModel): [string, string][] {
  if (!summary) return [];
  const { architecture: facts } = summary;
  return [
    ["Architecture", `${facts.name}, ${count(facts.layers)} layers`],
    [
      "Sizes",
      `hidden ${count(facts.hiddenSize)}, MLP ${count(facts.intermediateSize)}, vocabulary ${count(facts.vocabulary)}, positions ${count(facts.contextLength)}`,
    ],
    [
      "Attention",
      `${count(facts.heads)} heads, ${count(facts.keyValueHeads)} for keys and values, ${count(facts.headSize)} wide`,
    ],
  ];
}

/** The weights that runs restored, where the search itself is not kept. */
function restoredBlocks({ name, superWeights }: ReportModel): Block[] {
  if (superWeights.length === 0)
    return [{ kind: "text", text: "No super weights of this model are on record." }];
  return [
    { kind: "heading", text: "Super weights" },
    {
      kind: "table",
      label: `Super weights of ${name}`,
      table: {
        columns: [
          { title: "Layer", format: "text" },
          { title: "[row, column] of down_proj", format: "text" },
        ],
        rows: superWeights.map(([layer, row, column, expert]) => [String(layer), place(row, column, expert)]),
      },
    },
  ];
}

/** On what, and with what, the report was made. */
export function environmentSection(environment: Environment, devices: readonly string[]): Section {
  const facts: [string, string][] = [
    ["Keystone", environment.keystone],
    ["Node.js", environment.node],
    ["onnxruntime", environment.onnxruntime],
    ["Device", devices.length > 0 ? list(devices) : "none used"],
    ["Processor", `${environment.processor}, ${number(environment.cores, 0)} cores`],
    ["Memory", memory(environment.memoryBytes)],
    ["System", environment.system],
  ];
  return {
    id: "environment",
    label: "Environment",
    finding: null,
    blocks: [
      { kind: "facts", facts },
      {
        kind: "text",
        text: "This is the machine and the version that made the report; runs and experiments kept earlier may have been computed by another version. The device of each is named with it.",
      },
    ],
  };
}
