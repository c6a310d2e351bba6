import type { Note } from "#shared/notes.ts";
import { decoder } from "#engine/architecture/decoder/decoder.ts";
import { stackedTensors } from "#engine/architecture/decoder/stackedTensors.ts";
import type { Decoder } from "#engine/architecture/description/description.ts";
import { describeDecoder, familyFor } from "#engine/architecture/readArchitecture.ts";
import { neededTensors, type NeededTensor } from "#engine/architecture/validateTensors.ts";
import { KeystoneError } from "#shared/errors.ts";
import { unusedGroups, type Inventory, type InventoryEntry, type UnusedReason } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import { isStorageType, STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import { modulePath } from "#engine/checkpoint/tensorRole.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { FoundBeside } from "#engine/checkpoint/openedFiles.ts";
import { absentBiases, settleBiases } from "./biases.ts";
import { bearingNotes, configEntries, settleSpellings } from "./configFields.ts";
import { infoNamed } from "./infoNamed.ts";
import { takenApart } from "./stackedExperts.ts";
import { SettledCheckpoint, type PlaceInTensor, type SettledTensor } from "./settledCheckpoint.ts";
import { settleHead, type SettledHead } from "./settleHead.ts";
import { namingOf, recogniseNames, type Naming } from "./tensorPrefix.ts";
import { isNeverNeeded, reasonFor } from "./unusedTensors.ts";

/** A tensor of the files under the name that its family has for it. */
interface NamedTensor {
  readonly stored: string;
  readonly name: string;
  readonly info: TensorInfo;
  /** The file holds it as (columns, rows); `info` has it as it is used. */
  readonly transposed?: true;
  /** It is a part of that tensor. */
  readonly inside?: PlaceInTensor;
}

/**
 * Judges everything that a checkpoint holds: which tensors the model is computed with, under which name, what of the config is
 * read, and why the rest is not. What comes back holds the used tensors only.
 *
 *     names without prefixes → biases where the file has them → the head, tied or its own → used, or not used because …
 *
 * A model that cannot be computed keeps all of its tensors, to be looked at.
 * @throws KeystoneError as `disagreements` hold them, for the first tensor that is needed; checkpoint/read-failed
 */
export async function takeInventory(files: Checkpoint, beside: FoundBeside = {}): Promise<Checkpoint> {
  const spelled = settleSpellings(files.config, files.tensors.keys());
  const isGguf = files.shards.some(({ file }) => file.endsWith(".gguf"));
  const naming = namingFor(spelled);
  const { named, twice, note } = nameTensors(files, naming);
  const model = readModel(spelled, new Set(named.map(({ name }) => name)));
  if (!model) return listOnly(files, spelled, beside);

  const head = await settleHead(files, model.config, named);
  const described = describeDecoder(head.config);
  const needed = neededTensors(decoder(described));
  const stacks = stackedTensors(described);
  const stands = storedForm(files, head).flatMap((tensor) => takenApart(stacks, tensor));
  refuseDisagreements(needed, head.named, naming, beside);
  const settled = settleTensors(needed, stands);
  const context = {
    layers: model.decoder.layers.length,
    modules: new Set(needed.map(({ name }) => name.slice(0, name.lastIndexOf(".")))),
    closed: isGguf,
  };
  const uses = new Map([
    ...Array.from(stacks, ([name, { layer }]) => [name, `layer ${layer}: experts`] as const),
    ...needed.map(({ name, usedBy }) => [name, usedBy] as const),
  ]);
  const tensorEntries = [
    ...head.named.map(({ stored, name }): InventoryEntry => {
      const usedBy = uses.get(name);
      if (usedBy !== undefined) return { name: stored, kind: "tensor", usedBy };
      return { name: stored, kind: "tensor", notUsedBecause: reasonFor(name, context) };
    }),
    ...[...head.unused, ...twice].map(([name, notUsedBecause]): InventoryEntry => ({
      ...{ name, kind: "tensor", notUsedBecause },
    })),
    ...absentEntries(head.named, beside),
  ];
  const inventory = beforeOthers(files.inventory, [
    ...tensorEntries,
    ...(isGguf ? [] : configEntries(files.config)),
    ...packingEntry(files),
    ...(beside.entries ?? []),
  ]);
  return new SettledCheckpoint(files, {
    config: head.config,
    tensors: settled.whole ? settled.tensors : everything(stands),
    inventory,
    notes: [
      ...(note === null ? [] : [note]),
      ...model.notes,
      ...head.notes,
      ...settled.notes,
      ...(isGguf ? [] : bearingNotes(files.config)),
      ...(settled.whole ? unusedNotes(tensorEntries) : []),
    ],
  });
}

/** Tensors as they are used: matrices that the family stores as (in, out) are (out, in), like all others. */
function storedForm({ shards }: Checkpoint, { config, named }: SettledHead): NamedTensor[] {
  const { transposed } = familyFor(config);
  const isOwn = shards.every(({ file }) => file.endsWith(".safetensors"));
  return named.map((tensor): NamedTensor => {
    const { info, name } = tensor;
    const [rows, columns] = info.shape;
    if (
      !isOwn ||
      info.shape.length !== 2 ||
      !name.endsWith(".weight") ||
      !transposed.includes(modulePath(name))
    )
      return tensor;
    const turned = tensorInfo(name, [columns, rows], info.dtype, info);
    const packed = {
      scheme: `${info.dtype}, transposed`,
      bitsPerWeight: (8 * info.bytes) / Math.max(1, info.parameters),
    };
    return { ...tensor, info: { ...turned, packed }, transposed: true };
  });
}

/** What unpacking found goes before what is found here of the same thing. */
function beforeOthers(first: Inventory, rest: readonly InventoryEntry[]): InventoryEntry[] {
  const said = new Set(first.map(({ kind, name }) => JSON.stringify([kind, name])));
  return [...first, ...rest.filter(({ kind, name }) => !said.has(JSON.stringify([kind, name])))];
}

/** The field that unpacking read, which the config of the unpacked model has no more. */
function packingEntry({ packing, shards, config }: Checkpoint): InventoryEntry[] {
  const packed = packing !== undefined && shards.some(({ file }) => file.endsWith(".safetensors"));
  return packed && config["quantization_config"] === undefined
    ? [{ name: "quantization_config", kind: "config", usedBy: "unpacking" }]
    : [];
}

/** Tensors by their family's names, and those that stand a second time. */
function nameTensors(
  files: Checkpoint,
  naming: Naming | undefined,
): {
  named: NamedTensor[];
  twice: [string, UnusedReason][];
  note: Note | null;
} {
  const { nameOf, note } = recogniseNames(files.tensors.keys(), naming);
  const holder = new Map<string, string>();
  for (const [stored, name] of nameOf) if (!holder.has(name) || stored === name) holder.set(name, stored);
  const named: NamedTensor[] = [];
  const twice: [string, UnusedReason][] = [];
  for (const [stored, info] of files.tensors) {
    const name = nameOf.get(stored) ?? stored;
    if (holder.get(name) === stored) named.push({ stored, name, info: infoNamed(info, name) });
    else twice.push([stored, { code: "duplicate", text: `"${name}" stands under its own name as well` }]);
  }
  return { named, twice, note };
}

/** How the config's family names its tensors; undefined where it is of none. */
function namingFor(config: Readonly<Record<string, unknown>>): Naming | undefined {
  try {
    return namingOf(decoder(describeDecoder(config)));
  } catch (error) {
    if (error instanceof KeystoneError) return undefined;
    throw error;
  }
}

interface ReadModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly decoder: Decoder;
  readonly notes: readonly Note[];
}

/** Null where the config is of no family that is computed, or does not describe a model; its architecture says so. */
function readModel(config: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): ReadModel | null {
  try {
    const settled = settleBiases(config, describeDecoder(config), names);
    return { ...settled, decoder: describeDecoder(settled.config) };
  } catch (error) {
    if (error instanceof KeystoneError) return null;
    throw error;
  }
}

/** @throws KeystoneError the refusal of the first tensor that is needed */
function refuseDisagreements(
  needed: readonly NeededTensor[],
  named: readonly NamedTensor[],
  naming: Naming | undefined,
  { disagreements = new Map() }: FoundBeside,
): void {
  if (disagreements.size === 0) return;
  const storedAs = new Map(named.map(({ name, stored }) => [name, stored]));
  const { nameOf } = recogniseNames([...disagreements.keys(), ...storedAs.values()], naming);
  const wanted = new Set(needed.map(({ name }) => name));
  for (const [stored, error] of disagreements) if (wanted.has(nameOf.get(stored) ?? stored)) throw error;
}

/** What an index names and no file holds. */
function absentEntries(
  named: readonly NamedTensor[],
  { disagreements = new Map() }: FoundBeside,
): InventoryEntry[] {
  const present = new Set(named.map(({ stored }) => stored));
  return [...disagreements.keys()].flatMap((name): InventoryEntry[] =>
    present.has(name)
      ? []
      : [
          {
            ...{ name, kind: "tensor" },
            notUsedBecause: {
              code: "absent",
              text: "the index names it, no file holds it, and nothing needs it",
            },
          },
        ],
  );
}

/** The needed tensors in the files' order, with zeros for absent biases; `whole` = none is missing. */
function settleTensors(
  needed: readonly NeededTensor[],
  named: readonly NamedTensor[],
): { tensors: Map<string, SettledTensor>; whole: boolean; notes: Note[] } {
  const wanted = new Map(needed.map((tensor) => [tensor.name, tensor]));
  const present = new Set(named.map(({ name }) => name));
  const zeros = new Set(absentBiases(wanted.keys(), present));
  const tensors = new Map<string, SettledTensor>();
  for (const { name, ...tensor } of named) {
    const { info } = tensor;
    if (!wanted.has(name)) continue;
    tensors.set(name, tensor);
    const bias = wanted.get(name.replace(/\.weight$/, ".bias"));
    if (bias && zeros.has(bias.name)) tensors.set(bias.name, { stored: null, info: zeroInfo(bias, info) });
  }
  const slots = [...new Set([...zeros].map((name) => name.split(".").at(-2) ?? name))];
  const notes =
    slots.length === 0
      ? []
      : [
          {
            code: "biases/missing",
            text: `The file has biases for some linears and not for ${slots.join(", ")}${zeros.size > slots.length ? " everywhere" : ""}: zeros stand for the missing ones, as transformers starts them.`,
          },
        ];
  return { tensors, whole: needed.every(({ name }) => tensors.has(name)), notes };
}

/** A bias of zeros, in the type of its weight, at the end of its weight's bytes. */
function zeroInfo({ name, shape }: NeededTensor, weight: TensorInfo): TensorInfo {
  const dtype = isStorageType(weight.dtype) ? weight.dtype : "F32";
  const info = tensorInfo(name, shape, dtype, { file: weight.file, begin: weight.end, end: weight.end });
  return { ...info, bytes: info.parameters * STORAGE_BYTES[dtype] };
}

function everything(named: readonly NamedTensor[]): Map<string, SettledTensor> {
  return new Map(named.map(({ name, ...tensor }) => [name, tensor]));
}

/** A model that is not computed: everything is listed as it is stored. */
function listOnly(
  files: Checkpoint,
  config: Readonly<Record<string, unknown>>,
  { disagreements = new Map(), entries = [] }: FoundBeside,
): Checkpoint {
  const isGguf = files.shards.some(({ file }) => file.endsWith(".gguf"));
  for (const [name, error] of disagreements) if (!isNeverNeeded(name)) throw error;
  const reason = { code: "not-run", text: "the model is only looked at: its equations are not known here" };
  const tensors = everything([...files.tensors].map(([name, info]) => ({ stored: name, name, info })));
  const listed = [...files.tensors.keys()].map((name): InventoryEntry => ({
    ...{ name, kind: "tensor", notUsedBecause: reason },
  }));
  const named = [...files.tensors].map(([stored, info]) => ({ stored, name: stored, info }));
  const inventory = beforeOthers(files.inventory, [
    ...listed,
    ...absentEntries(named, { disagreements }),
    ...(isGguf ? [] : configEntries(files.config)),
    ...entries,
  ]);
  return new SettledCheckpoint(files, { config, tensors, inventory, notes: [] });
}

/** One sentence for each kind of tensor that is not used. */
function unusedNotes(inventory: readonly InventoryEntry[]): Note[] {
  return unusedGroups(inventory)
    .filter(({ kind, code }) => kind === "tensor" && code !== "absent")
    .map(({ names, text }) => {
      const one = `"${names[0]}"`;
      const what = names.length === 1 ? `${one} is` : `${names.length} tensors (${one} and so on) are`;
      return { code: "tensors/not-used", text: `${what} not used: ${text}.` };
    });
}
