import { KeystoneError } from "#shared/errors.ts";

/** A tensor as a writer sees it before any of its data exists. */
export interface PlannedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes of its data. */
  readonly bytes: number;
  /** File that holds it in the source, and the first byte there. */
  readonly file: string;
  readonly begin: number;
}

/** One file to write: the header is final, the tensors follow it in this order without holes. */
export interface ShardPlan {
  readonly file: string;
  readonly tensors: readonly PlannedTensor[];
  /** Length prefix, JSON and padding: everything in front of the data. */
  readonly header: Uint8Array;
  /** Header and data. */
  readonly bytes: number;
}

export interface CheckpointPlan {
  readonly shards: readonly ShardPlan[];
  /** Content of model.safetensors.index.json; null where one file holds everything. */
  readonly index: ShardIndex | null;
  readonly bytes: number;
}

export interface ShardIndex {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly weight_map: Readonly<Record<string, string>>;
}

const SINGLE_FILE = "model.safetensors";
/** Data begins on a multiple of this, so that a mapped file gives aligned numbers. */
const ALIGNMENT = 8;
const LENGTH_BYTES = 8;

/**
 * Decides which tensor goes where, from shapes alone.
 * @param maxShardBytes largest data section of a shard; null = the source's files with the source's names and order.
 *   A tensor larger than that gets a shard of its own.
 * @param sourceIndex the source's model.safetensors.index.json, whose `metadata` is carried along; null where it has none
 * @param arrange the order of a shard's tensors; absent = the source's, and by size the widest elements first
 * @throws KeystoneError export/bad-name where a source file's name leaves the folder
 */
export function planShards(
  tensors: Iterable<PlannedTensor>,
  maxShardBytes: number | null,
  sourceIndex: { metadata: Readonly<Record<string, unknown>> } | null,
  arrange?: Arrange,
): CheckpointPlan {
  const all = [...tensors];
  const groups = maxShardBytes === null ? bySourceFile(all) : bySize(all, maxShardBytes);
  const order = arrange ?? (maxShardBytes === null ? (members) => members : widestFirst);
  const shards = groups.map(({ file, tensors: members }) => planShard(file, order(members)));
  const named = shards.length > 1 || (maxShardBytes === null && sourceIndex !== null);
  return {
    shards,
    index: named ? buildIndex(shards, sourceIndex?.metadata ?? {}) : null,
    bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0),
  };
}

/** Puts a shard's tensors in order. */
export type Arrange = (tensors: readonly PlannedTensor[]) => readonly PlannedTensor[];

/**
 * Tensors in the order given, so that what is made together is written together, and yet each begins on a multiple of its
 * element's size: 8-byte elements in front, whatever ends off a multiple of 4 bytes behind, the widest first.
 */
export const alignedOrder: Arrange = (tensors) => {
  const wide = tensors.filter((tensor) => elementBytes(tensor) === 8);
  const rest = tensors.filter((tensor) => elementBytes(tensor) !== 8);
  const even = rest.filter(({ bytes }) => bytes % 4 === 0);
  return [...wide, ...even, ...widestFirst(rest.filter(({ bytes }) => bytes % 4 !== 0))];
};

/** Wide elements first: every tensor then begins on a multiple of its own element's size. */
const widestFirst: Arrange = (tensors) => tensors.toSorted((a, b) => elementBytes(b) - elementBytes(a));

interface Group {
  readonly file: string;
  readonly tensors: PlannedTensor[];
}

function bySourceFile(tensors: readonly PlannedTensor[]): Group[] {
  const files = new Map<string, PlannedTensor[]>();
  for (const tensor of tensors) {
    const members = files.get(tensor.file) ?? [];
    members.push(tensor);
    files.set(tensor.file, members);
  }
  return [...files].map(([file, members]) => {
    if (!/^[^/\\:\0]+\.safetensors$/.test(file)) {
      throw new KeystoneError(
        "export/bad-name",
        `The source's shard ${JSON.stringify(file)} has a name that cannot be written.`,
        "Export by size instead of like the source.",
        { file },
      );
    }
    return { file, tensors: members.sort((a, b) => a.begin - b.begin) };
  });
}

function bySize(tensors: readonly PlannedTensor[], maxBytes: number): Group[] {
  const bins: PlannedTensor[][] = [];
  let filled = Infinity;
  for (const tensor of tensors) {
    if (filled + tensor.bytes > maxBytes) {
      bins.push([]);
      filled = 0;
    }
    bins.at(-1)?.push(tensor);
    filled += tensor.bytes;
  }
  const count = String(bins.length).padStart(5, "0");
  return bins.map((members, i) => ({
    file: bins.length === 1 ? SINGLE_FILE : `model-${String(i + 1).padStart(5, "0")}-of-${count}.safetensors`,
    tensors: members,
  }));
}

function elementBytes(tensor: PlannedTensor): number {
  const elements = tensor.shape.reduce((product, dimension) => product * dimension, 1);
  return elements === 0 ? 0 : tensor.bytes / elements;
}

function planShard(file: string, tensors: readonly PlannedTensor[]): ShardPlan {
  const header = encodeHeader(tensors);
  return {
    file,
    tensors,
    header,
    bytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, header.byteLength),
  };
}

/**
 * Length prefix and JSON of a safetensors header, padded with spaces to a multiple of 8 bytes.
 * `format: pt` is what loaders of Hugging Face checkpoints insist on.
 */
export function encodeHeader(tensors: readonly PlannedTensor[]): Uint8Array {
  let at = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }): [string, unknown] => {
    const begin = at;
    at += bytes;
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  // written entry by entry: an object would move names that look like numbers to the front
  const members = [["__metadata__", { format: "pt" }] as const, ...entries].map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const length = Math.ceil(json.byteLength / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

function buildIndex(shards: readonly ShardPlan[], metadata: Readonly<Record<string, unknown>>): ShardIndex {
  const entries = shards.flatMap((shard) =>
    shard.tensors.map(({ name, bytes }) => ({ name, bytes, file: shard.file })),
  );
  return {
    metadata: { ...metadata, total_size: entries.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(
      entries.map(({ name, file }): [string, string] => [name, file]).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}
