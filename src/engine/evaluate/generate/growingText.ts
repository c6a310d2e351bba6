import { perWindow } from "#engine/architecture/inputs/perWindow.ts";
import type { HiddenBatch, LayerCache, LayerWeights } from "#engine/forward/forward.ts";
import type { LaneEnds } from "./generationWeights.ts";
import type { Engine } from "../stream/engine.ts";
import type { Variant } from "../stream/variant.ts";

/** A text without kept keys is padded to multiples of this, so that its graphs serve many lengths; causal attention never sees the padding. */
const PAD = 32;

/** One variant's text, token by token. */
export class GrowingText {
  readonly ids: number[];
  readonly #engine: Engine;
  readonly #variant: Variant;
  readonly #ends: LaneEnds;
  readonly #caches: LayerCache[] = [];
  /** Whether what one token does depends on later ones: the text then runs whole for each. */
  readonly #whole: boolean;
  /** Tokens whose keys and values are kept. */
  #seen = 0;
  #hidden: HiddenBatch | null = null;

  constructor(engine: Engine, variant: Variant, ends: LaneEnds, prompt: readonly number[]) {
    this.#engine = engine;
    this.#variant = variant;
    this.#ends = ends;
    this.ids = [...prompt];
    this.#whole = variant.activations?.layers.some((inputs) => perWindow(inputs)) ?? false;
  }

  /** Embeds the tokens that the layers have not seen. */
  async begin(): Promise<void> {
    if (this.#whole || !this.#anglesHold()) this.#seen = 0;
    const { ids } = this;
    const { contextLength } = this.#engine.architecture.facts;
    const padded = Math.max(ids.length, Math.min(Math.ceil(ids.length / PAD) * PAD, contextLength));
    const fed = this.#whole ? Array.from({ length: padded }, (_, i) => ids[i] ?? 0) : ids.slice(this.#seen);
    const embedded = await this.#engine.forward.embed(this.#ends.embedding, [fed], { from: this.#seen });
    this.#hidden = this.#whole ? { ...embedded, lengths: [ids.length] } : embedded;
  }

  async layer(layer: number, weights: LayerWeights): Promise<void> {
    const { forward } = this.#engine;
    const inputs = this.#variant.activations?.layers[layer];
    const hidden = this.#begun();
    if (this.#whole) {
      this.#hidden = await forward.layer(layer, hidden, weights, inputs);
      return;
    }
    const past = this.#seen > 0 ? this.#caches[layer] : null;
    const passed = await forward.layerWithCache(layer, hidden, weights, past, inputs);
    this.#caches[layer] = passed.cache;
    this.#hidden = passed.hidden;
  }

  /** Logits of the token that comes next: (vocabulary). */
  async next(): Promise<Float32Array> {
    const { hiddenSize } = this.#engine.architecture.facts;
    const { data, lengths } = this.#begun();
    const last = lengths[0] - 1;
    const row = data.slice(last * hiddenSize, (last + 1) * hiddenSize);
    this.#seen = this.#whole ? 0 : this.ids.length;
    this.#hidden = null;
    return this.#engine.forward.logits(row, this.#ends.head);
  }

  /** Some rotary embeddings turn every token by other angles once the text is longer: kept keys are then of no use. */
  #anglesHold(): boolean {
    if (this.#seen === 0) return true;
    const { architecture } = this.#engine;
    return architecture.kinds.every((layer) => {
      const [before, now] = [this.#seen, this.ids.length].map(
        (length) => architecture.positionTables(layer, length, this.#seen - 1).cos,
      );
      return before?.every((value, i) => value === now?.[i]) ?? true;
    });
  }

  #begun(): HiddenBatch {
    if (!this.#hidden) throw new Error("a text's layers run after its tokens are embedded");
    return this.#hidden;
  }
}
