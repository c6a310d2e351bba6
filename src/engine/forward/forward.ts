import type { DeviceReport } from "#shared/device.ts";
import type { InputMaxima } from "#engine/recipe/activationPlan.ts";
import type { InputQuantization } from "#engine/architecture/inputs/inputQuantization.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

/** Hidden states of a batch of windows, right-padded: (batch, sequence, hidden), row-major f32. */
export interface HiddenBatch {
  readonly data: Float32Array;
  readonly batch: number;
  readonly sequence: number;
  /** Real tokens per window; what lies behind is padding and must not be read. */
  readonly lengths: readonly number[];
  /**
   * Where windows branch, so that several continuations share their beginning: of each window the index of the token before
   * each token, −1 at the beginning; null where that is the one to its left. Absent where no window branches.
   */
  readonly parents?: readonly (Int32Array | null)[];
}

/** Where tokens stand; without it every window begins a text and none branches. */
export interface EmbedPlaces extends Pick<HiddenBatch, "parents"> {
  /** Position of every window's first token. */
  readonly from?: number;
}

/** Under this key a layer's weights give those of its experts, one at a time. */
export const EXPERTS: unique symbol = Symbol("experts");

/** The matrices of one expert by slot, f32. They are overwritten by the next call: one expert of a layer is in memory at a time. */
export type ReadExpert = (expert: number) => Promise<Readonly<Record<string, Float32Array>>>;

/** The weights of one layer by slot, f32, row-major. May lie in shared memory. */
export interface LayerWeights {
  readonly [slot: string]: Float32Array;
  /** In layers that have experts. */
  readonly [EXPERTS]?: ReadExpert;
}

/** The matrices of one of a layer's experts. */
export function expertOf(weights: LayerWeights, expert: number): ReturnType<ReadExpert> {
  const read = weights[EXPERTS];
  if (!read) throw new Error(`expert ${expert} was asked for of a layer that came without experts`);
  return read(expert);
}

export interface HeadWeights {
  /** (hidden); absent where the final norm has none, like the biases. */
  readonly norm?: Float32Array;
  readonly norm_bias?: Float32Array;
  /** (vocabulary, hidden) */
  readonly head: Float32Array;
  readonly head_bias?: Float32Array;
}

/**
 * down_proj taps of one layer: input (batch, sequence, intermediate), output (batch, sequence, hidden). In a layer with experts the
 * output is what they add together, and the input is empty: each expert has its own.
 */
export interface Taps {
  readonly input: Float32Array;
  readonly output: Float32Array;
}

/** What one expert did with the tokens that reached it, in the order of `rows`. Valid until the next expert. */
export interface ExpertTap {
  readonly expert: number;
  /** Tokens (w · sequence + t); padding reaches no expert. */
  readonly rows: Int32Array;
  /** How much of its output each of them gets. */
  readonly shares: Float32Array;
  /** Into its down_proj, (tokens, intermediate), and out of it, (tokens, hidden). */
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** Its matrices by slot. */
  readonly weights: Readonly<Record<string, Float32Array>>;
}

/** Is shown every expert that a token reached, one after the other. */
export type WatchExperts = (tap: ExpertTap) => void;

/** Keys (rotated) and values of the tokens that a layer has seen of one text: (keyValueHeads, tokens, headSize) each. */
export interface LayerCache {
  readonly tokens: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

export interface Judged {
  /** Nats per row. */
  readonly nll: Float32Array;
  /** KL(original ‖ variant) per row, nats. */
  readonly kl: Float32Array;
  /** 1 where the most likely token is the original's. */
  readonly topAgrees: Float32Array;
}

/**
 * Runs the graphs of one architecture on one device. Only ever used inside a pool worker or a test:
 * onnxruntime blocks the thread that calls it.
 */
export interface Forward {
  readonly device: DeviceReport;

  /** What enters the first layer, for each window: (batch, longest, hidden), tables read by range. */
  embed(
    checkpoint: Pick<Checkpoint, "readRows">,
    windows: readonly ArrayLike<number>[],
    places?: EmbedPlaces,
  ): Promise<HiddenBatch>;

  /** One decoder layer, the inputs of its linears quantized where asked. The input is not changed. */
  layer(
    layer: number,
    hidden: HiddenBatch,
    weights: LayerWeights,
    inputs?: InputQuantization,
  ): Promise<HiddenBatch>;
  /** The same with taps; down_proj's input is tapped before it is quantized. */
  layerWithTaps(
    layer: number,
    hidden: HiddenBatch,
    weights: LayerWeights,
    inputs?: InputQuantization,
    watch?: WatchExperts,
  ): Promise<{ hidden: HiddenBatch; taps: Taps }>;
  /** One layer as it is; `reached` rises by the tokens that each of its experts got. */
  layerWithReach(
    layer: number,
    hidden: HiddenBatch,
    weights: LayerWeights,
    reached: Uint32Array,
  ): Promise<HiddenBatch>;
  /** One layer as it is; `maxima` rise to the normed inputs' largest |x| per channel, padding left out. */
  layerWithMaxima(
    layer: number,
    hidden: HiddenBatch,
    weights: LayerWeights,
    maxima: InputMaxima,
  ): Promise<HiddenBatch>;

  /** One layer as it is, and what goes into each of its linears, by slot: (batch, sequence, in); padding is not to be read. */
  layerWithLinearInputs(
    layer: number,
    hidden: HiddenBatch,
    weights: LayerWeights,
  ): Promise<{ hidden: HiddenBatch; inputs: Readonly<Record<string, Float32Array>> }>;
  /**
   * One layer over the tokens of one text (1, sequence, hidden) that follow those in `past`; null begins the text. Gives the
   * cache that these tokens leave. Not for inputs whose units span a window (architecture/inputs/perWindow.ts).
   */
  layerWithCache(
    layer: number,
    hidden: HiddenBatch,
    weights: LayerWeights,
    past: LayerCache | null,
    inputs?: InputQuantization,
  ): Promise<{ hidden: HiddenBatch; cache: LayerCache }>;

  /** Σ over columns of (x·Wᵀ)² of each row. x: (n, in); weight: (out, in) with in = `width`. Gives (n). */
  outputSquares(x: Float32Array, weight: Float32Array, width: number): Promise<Float32Array>;

  /** Final norm and head over rows (n, hidden): logits (n, vocabulary). For generation and tests. */
  logits(rows: Float32Array, head: HeadWeights): Promise<Float32Array>;
  /** log softmax of the same. */
  logProbabilities(rows: Float32Array, head: HeadWeights): Promise<Float32Array>;
  /** NLL of each row's label and the most likely token. */
  score(
    rows: Float32Array,
    labels: Int32Array,
    head: HeadWeights,
  ): Promise<{ nll: Float32Array; top: Int32Array }>;
  /** The same against the original's log-probabilities (n, vocabulary). */
  judge(rows: Float32Array, labels: Int32Array, reference: Float32Array, head: HeadWeights): Promise<Judged>;

  /** Releases the sessions. */
  close(): Promise<void>;
}
