import type { GroupSize } from "#engine/checkpoint/packing/groupSize.ts";
import { badPacking } from "./matrix.ts";

/**
 * Columns of a group of one module. The last group of a row may be shorter: 192 columns in groups of 128 are 128 and 64, not
 * twice 96, so that the config's sizes are asked and the shapes only have to agree.
 * @param declared sizes that the config names; where it names none, groups of one size that divide the columns
 * @throws KeystoneError checkpoint/bad-packing where no size, or more than one, gives that many groups
 */
export function columnsPerGroup(
  { name, columns, groups }: { name: string; columns: number; groups: number },
  declared: readonly GroupSize[],
): number {
  const found = `has ${groups} groups for ${columns} columns`;
  if (groups < 1) throw badPacking(name, found);
  const sizes = fittingSizes(columns, groups, declared);
  if (sizes.length === 1) return sizes[0];
  if (sizes.length > 1)
    throw badPacking(name, `${found}, which fit several group sizes of its config: ${sizes.join(", ")}`);
  if (declared.length > 0)
    throw badPacking(name, `${found}, and its config names groups of ${declared.map(sizeText).join(", ")}`);
  if (columns % groups !== 0) throw badPacking(name, `${found}, and its config names no group_size`);
  return columns / groups;
}

/**
 * The same of a module whose columns name their groups one by one, as a config would say it: for what people read.
 * @throws KeystoneError checkpoint/bad-packing where there is no group
 */
export function usualGroupColumns(
  { name, columns, groups }: { name: string; columns: number; groups: number },
  declared: readonly GroupSize[],
): number {
  if (groups < 1) throw badPacking(name, `has ${groups} groups for ${columns} columns`);
  return fittingSizes(columns, groups, declared)[0] ?? Math.ceil(columns / groups);
}

/** Of the sizes that a config names, those that cut the columns into that many groups. */
function fittingSizes(columns: number, groups: number, declared: readonly GroupSize[]): number[] {
  const fitting = declared.map((size) => Math.min(size, columns));
  return [...new Set(fitting.filter((size) => Math.ceil(columns / size) === groups))];
}

function sizeText(size: GroupSize): string {
  return size === Infinity ? "a whole row" : `${size} columns`;
}

/** `channel`, or `group 128`. */
export function groupText(groups: number, size: number): string {
  return groups === 1 ? "channel" : `group ${size}`;
}
