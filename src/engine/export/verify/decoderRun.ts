import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { DECODER_IO } from "#engine/architecture/decoder/decoderGraph.ts";
import { MODEL_FILE } from "#engine/formats/onnx/layout/names.ts";
import { floats, openSession } from "#engine/forward/session.ts";
import type { Attention, Decoder } from "#engine/architecture/description/description.ts";

/** A written decoder in onnxruntime, fed as a program that deploys it does: by the names of its inputs and outputs alone. */
export interface DecoderRun {
  /**
   * The logits of the next tokens of a text, (tokens, vocabulary), after all that it was given since the last restart,
   * whose keys and values it keeps.
   */
  next(ids: Int32Array): Promise<Float32Array>;
  /** Forgets the text. */
  restart(): void;
  release(): Promise<void>;
}

/** Opens the decoder that lies in `folder` on the CPU. */
export async function openDecoder(
  folder: string,
  { vocabulary, layers }: Pick<Decoder, "vocabulary" | "layers">,
  threads: number,
): Promise<DecoderRun> {
  const session = await openSession(join(folder, MODEL_FILE), { provider: "cpu", threads });
  const cacheOf = ({ keyValueHeads, headSize }: Attention, tokens: number): Tensor =>
    floats(new Float32Array(keyValueHeads * tokens * headSize), [1, keyValueHeads, tokens, headSize]);
  const freshCache = (tokens: number): [keys: Tensor, values: Tensor][] =>
    layers.map(({ attention: { body } }) => [cacheOf(body, tokens), cacheOf(body, tokens)]);
  let seen = 0;
  let cache = freshCache(seen);

  return {
    async next(ids) {
      const total = seen + ids.length;
      const logits = new Float32Array(ids.length * vocabulary);
      const present = freshCache(total);
      await session.run(
        {
          [DECODER_IO.ids]: row(ids),
          [DECODER_IO.mask]: row(new Array<number>(total).fill(1)),
          [DECODER_IO.positions]: row(Array.from(ids, (_, i) => seen + i)),
          ...named(cache, DECODER_IO.pastKeys, DECODER_IO.pastValues),
        },
        {
          [DECODER_IO.logits]: floats(logits, [1, ids.length, vocabulary]),
          ...named(present, DECODER_IO.presentKeys, DECODER_IO.presentValues),
        },
      );
      [seen, cache] = [total, present];
      return logits;
    },
    restart() {
      seen = 0;
      cache = freshCache(seen);
    },
    release: () => session.release(),
  };
}

type NameOf = (layer: number) => string;

function named(cache: readonly [Tensor, Tensor][], keys: NameOf, values: NameOf): Record<string, Tensor> {
  return Object.fromEntries(
    cache.flatMap(([key, value], layer) => [
      [keys(layer), key],
      [values(layer), value],
    ]),
  );
}

/** A batch of one row of int64. */
function row(values: Iterable<number>): Tensor {
  const data = BigInt64Array.from([...values], BigInt);
  return new Tensor("int64", data, [1, data.length]);
}
