import type { Note } from "#shared/notes.ts";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";

/** What is known of a checkpoint without reading a tensor. */
export type CheckpointFacts = Pick<
  Checkpoint,
  | "path"
  | "config"
  | "tensors"
  | "inventory"
  | "fingerprint"
  | "revision"
  | "shards"
  | "sharded"
  | "notes"
  | "packing"
  | "configRewritten"
>;

/** An open model. Headers and config are in memory; tensor data is read by range, on demand. */
export abstract class Checkpoint {
  /** Absolute folder. */
  readonly path: string;
  /** config.json as parsed; validated by the architecture that reads it. */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * The tensors that the model is computed with, by shard, and within a shard in the order of their bytes. Whoever writes a model
   * writes these and no others; `inventory` names what else the files hold.
   */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Everything that was found on opening, used or not used for a stated reason. */
  readonly inventory: Inventory;
  /** Which model it is (Identity of fingerprint.ts): the same for a copy. */
  readonly fingerprint: string;
  /** Which state of its files: another one after every write to them. */
  readonly revision: string;
  readonly shards: readonly { file: string; bytes: number }[];
  /** True where model.safetensors.index.json named the shards. */
  readonly sharded: boolean;
  /** What is odd about the folder but not fatal, one sentence each. */
  readonly notes: readonly Note[];
  /**
   * How its weights are packed, for people (`GPTQ int4, group 128`); absent where they are plain. `config` and `tensors` are then
   * those of the model that was packed, `TensorInfo.packed` says which tensors the file holds as codes.
   */
  readonly packing?: string;
  /** True where `config` differs from config.json: without what that says of a packing, or settled by what the files hold. An export then writes its own. */
  readonly configRewritten?: boolean;

  protected constructor(facts: CheckpointFacts) {
    this.path = facts.path;
    this.config = facts.config;
    this.tensors = facts.tensors;
    this.inventory = facts.inventory;
    this.fingerprint = facts.fingerprint;
    this.revision = facts.revision;
    this.shards = facts.shards;
    this.sharded = facts.sharded;
    this.notes = facts.notes;
    if (facts.packing !== undefined) this.packing = facts.packing;
    if (facts.configRewritten !== undefined) this.configRewritten = facts.configRewritten;
  }

  /**
   * A whole tensor, widened to f32 (row-major, exact for all three storage types).
   * @param out receives the values; its length must be the tensor's element count. Allocated when absent.
   * @throws KeystoneError checkpoint/no-such-tensor, checkpoint/unreadable-dtype, checkpoint/read-failed
   */
  abstract read(name: string, out?: Float32Array): Promise<Float32Array>;

  /** Rows `indices` of a 2-D tensor, widened, in the order asked: (indices.length, columns). Reads only those rows. */
  abstract readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array>;

  /**
   * The bytes [begin, end) of a tensor's data, relative to the tensor's own start; whole when omitted. Of a packed tensor: of its
   * values in `dtype`, as a plain checkpoint would store them (dtypes.ts: dataBytes).
   */
  abstract readBytes(name: string, begin?: number, end?: number): Promise<Uint8Array>;

  abstract close(): Promise<void>;
}
