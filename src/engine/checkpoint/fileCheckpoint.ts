import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import { readRange, type ClosableSource } from "#engine/files/byteSource.ts";
import { shown } from "#engine/files/strictJson.ts";
import { Checkpoint } from "./checkpoint.ts";

/** A tensor as it is listed; what else a kind of file needs to read it comes with it. */
export interface ListedTensor {
  readonly info: TensorInfo;
}

/** What is known of a model's files once their headers are read. */
export interface ModelFiles<Tensor extends ListedTensor> extends Pick<
  Checkpoint,
  "path" | "config" | "fingerprint" | "revision" | "shards" | "notes"
> {
  readonly sharded?: boolean;
  readonly packing?: string | undefined;
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** By file. */
  readonly sources: ReadonlyMap<string, ClosableSource>;
}

/** A model whose tensors lie in files that stay open as long as it does. Its kinds differ in how a tensor is read. */
export abstract class FileCheckpoint<Tensor extends ListedTensor> extends Checkpoint {
  private readonly stored: ReadonlyMap<string, Tensor>;
  private readonly sources: ReadonlyMap<string, ClosableSource>;

  constructor(files: ModelFiles<Tensor>) {
    const { path, config, fingerprint, revision, shards, sharded = false, notes, packing } = files;
    super({
      ...{ path, config, fingerprint, revision, shards, sharded, notes },
      tensors: infosOf(files.tensors),
      inventory: [],
      ...(packing === undefined ? {} : { packing }),
    });
    this.stored = files.tensors;
    this.sources = files.sources;
  }

  /** The bytes at the tensor's place in its file, which are its weights one after another where it is not packed. */
  async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const { info } = this.find(name);
    const [from, to] = byteRange(info, begin, end);
    return readRange(this.source(info.file), info.begin + from, info.begin + to);
  }

  async close(): Promise<void> {
    await Promise.all([...this.sources.values()].map((source) => source.close()));
  }

  /** @throws KeystoneError checkpoint/no-such-tensor */
  protected find(name: string): Tensor {
    const stored = this.stored.get(name);
    if (stored) return stored;
    throw noSuchTensor(this.path, name);
  }

  protected readonly source = (file: string): ClosableSource => {
    const source = this.sources.get(file);
    if (source) return source;
    throw new KeystoneError(
      "checkpoint/missing-file",
      `The model in ${this.path} has no file ${shown(file)}.`,
      "Download or export the model again.",
      { file },
    );
  };
}

export function noSuchTensor(path: string, name: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/no-such-tensor",
    `The model in ${path} holds no tensor ${shown(name)}.`,
    "Check that all of its files are there and belong to the same model.",
    { tensor: name },
  );
}

/** Tensors without what is needed to read them. */
export function infosOf(tensors: ReadonlyMap<string, ListedTensor>): Map<string, TensorInfo> {
  return new Map([...tensors].map(([name, { info }]) => [name, info]));
}

/**
 * [begin, end) of the bytes of a tensor, its whole data when no end is asked.
 * @throws RangeError where they are not inside it
 */
export function byteRange(
  { name, begin: first, end: last }: TensorInfo,
  begin: number,
  end: number | undefined,
): readonly [number, number] {
  const size = last - first;
  const to = end ?? size;
  if (begin >= 0 && begin <= to && to <= size) return [begin, to];
  throw new RangeError(`bytes ${begin} to ${to} of ${name} were asked for; it has ${size}`);
}
