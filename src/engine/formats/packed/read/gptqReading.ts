import type { Note } from "#shared/notes.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { unpackBits } from "../layout/bitPacking.ts";
import { columnsPerGroup } from "./groupColumns.ts";
import { readIndices } from "./groupIndex.ts";
import { badPacking, readWords } from "./matrix.ts";
import type { GptqPacking } from "#engine/checkpoint/packing/packing.ts";

/** What of a module's files has to be looked at to know how they are meant. */
export interface GptqModule {
  readonly qzeros: TensorInfo;
  readonly index: TensorInfo | null;
  readonly rows: number;
  readonly columns: number;
  readonly groups: number;
  readonly bits: number;
  /** Columns of a group where they follow each other. */
  readonly groupColumns: number;
}

/** How one module is read, where its files leave a choice. */
export interface GptqReading {
  /** Version 1 stores zero points less one. */
  readonly version: 1 | 2;
  /** Whether g_idx says which group a column is of; otherwise columns are in the order of their groups. */
  readonly indexed: boolean;
  /** What its files say otherwise than config.json, or than some loaders take it. */
  readonly oddities: readonly GptqOddity[];
}
export type GptqOddity = "other-version" | "empty-index" | "order";

const along = { start: 0, step: 1 };

/**
 * Looks at a module's zero points and column groups. A symmetric module's zero points are all half the levels, so that the
 * first group's tell which version the file is, whatever config.json says; a g_idx of nothing but zeros beside several groups is
 * one that was never filled, as ExLlama and vLLM take it.
 * @throws KeystoneError checkpoint/bad-packing where an order of columns is asked for that the file does not hold
 */
export async function readingOf(
  checkpoint: Checkpoint,
  module: GptqModule,
  packing: GptqPacking,
): Promise<GptqReading> {
  const version = await storedVersion(checkpoint, module, packing);
  const order = await orderOf(checkpoint, module, packing);
  const oddities = [...(version === packing.version ? [] : ["other-version" as const]), ...order.oddities];
  return { version, indexed: order.indexed, oddities };
}

async function storedVersion(
  checkpoint: Checkpoint,
  { qzeros, rows, bits }: GptqModule,
  { symmetric, version }: GptqPacking,
): Promise<1 | 2> {
  if (!symmetric) return version;
  const codes = new Uint8Array(rows);
  unpackBits(await readWords(checkpoint, qzeros.name, 0, qzeros.shape[1]), along, rows, bits, codes, along);
  const half = 2 ** (bits - 1);
  if (codes.every((code) => code === half)) return 2;
  return codes.every((code) => code === half - 1) ? 1 : version;
}

async function orderOf(
  checkpoint: Checkpoint,
  { index, columns, groups, groupColumns }: GptqModule,
  { actOrder, groupSizes }: GptqPacking,
): Promise<Pick<GptqReading, "indexed" | "oddities">> {
  if (!index) return { indexed: false, oddities: [] };
  const groupOf = await readIndices(checkpoint, index, groups);
  if (groups > 1 && groupOf.every((group) => group === 0)) {
    if (actOrder === true)
      throw badPacking(
        index.name,
        `puts all ${columns} columns into the first of ${groups} groups, though desc_act says that they are in another order`,
      );
    // now the config's group size counts, and has to fit
    columnsPerGroup({ name: index.name, columns, groups }, groupSizes);
    return { indexed: false, oddities: ["empty-index"] };
  }
  const ordered = groupOf.every((group, column) => group === Math.floor(column / groupColumns));
  return { indexed: true, oddities: actOrder === false && !ordered ? ["order"] : [] };
}

/** What a person should know of how modules were read, a sentence for each kind. */
export function readingNotes(
  modules: readonly { readonly name: string; readonly bits: number; readonly reading: GptqReading }[],
  { version }: GptqPacking,
): Note[] {
  const of = (kind: GptqOddity) => modules.filter(({ reading }) => reading.oddities.includes(kind));
  const several = (found: readonly { name: string }[]): string =>
    found.length === 1 ? `of ${found[0].name}` : `of ${found.length} modules (${found[0].name}, …)`;
  const [versions, empty, order] = [of("other-version"), of("empty-index"), of("order")];
  const notes: Note[] = [];
  if (versions.length > 0) {
    const half = 2 ** (versions[0].bits - 1);
    const says = version === 1 ? "gptq (version 1, zero points less one)" : "gptq_v2";
    const holds = version === 1 ? "as version 2 has them" : "less one, as version 1 has them";
    notes.push({
      code: "gptq/other-version",
      text: `The zero points ${several(versions)} are stored ${holds}, though config.json says checkpoint_format ${says}. With sym: true a zero point is ${half}, and so it is read; loaders that follow checkpoint_format are one step off in every weight.`,
    });
  }
  if (empty.length > 0)
    notes.push({
      code: "gptq/empty-index",
      text: `g_idx ${several(empty)} holds nothing but zeros beside several groups, so it is not used: columns are taken in the order of their groups.`,
    });
  if (order.length > 0)
    notes.push({
      code: "gptq/order",
      text: `g_idx ${several(order)} puts columns into another order than their groups', though config.json says desc_act: false. It is followed, as GPT-QModel and transformers do; loaders that trust desc_act, as vLLM, compute something else.`,
    });
  return notes;
}
