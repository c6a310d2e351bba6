/** Settings of the rotary position embedding, with every default filled in. Frequencies: the scaling variants of Hugging Face transformers. */
export type RopeSettings = { readonly theta: number } & (
  | { readonly kind: "default" }
  /** Positions divided by `factor`. */
  | { readonly kind: "linear"; readonly factor: number }
  /** Theta grows with the text once it is longer than `contextLength`. */
  | { readonly kind: "dynamic"; readonly factor: number; readonly contextLength: number }
  /** Of the channel pairs only the first ones turn, at the angles that they have among all. */
  | { readonly kind: "proportional"; readonly share: number; readonly factor: number }
  /** Long wavelengths divided by `factor`, short ones kept, a ramp between. */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContext: number;
    }
  /** The same by dimension instead of wavelength, with cos and sin scaled [arXiv:2309.00071]. */
  | {
      readonly kind: "yarn";
      readonly factor: number;
      readonly attentionFactor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      readonly originalContext: number;
    }
  /** Each frequency divided by a factor of its own: one list for texts up to the original context, one for longer ones [arXiv:2402.13753]. */
  | {
      readonly kind: "longrope";
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly attentionFactor: number;
      readonly originalContext: number;
    }
);

/**
 * cos and sin of every position's angles, each (length − from, size / 2), row-major. Angles are products in f32 like the models'
 * own, since at position 100,000 an f64 angle is another angle.
 * @param from first position wanted; the rows are those from there on
 */
export function rotaryTables(
  rope: RopeSettings,
  size: number,
  length: number,
  from = 0,
): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(rope, size, length);
  const scale = rotaryScale(rope);
  const half = frequencies.length;
  const cos = new Float32Array((length - from) * half);
  const sin = new Float32Array((length - from) * half);
  for (let position = from; position < length; position++) {
    const row = (position - from) * half;
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]);
      cos[row + i] = Math.cos(angle) * scale;
      sin[row + i] = Math.sin(angle) * scale;
    }
  }
  return { cos, sin };
}

/** What cos and sin are multiplied with. */
export function rotaryScale(rope: RopeSettings): number {
  return rope.kind === "yarn" || rope.kind === "longrope" ? rope.attentionFactor : 1;
}

/** Radians per position of each pair of channels: (size / 2). `length` matters to `dynamic` and `longrope`. */
export function rotaryFrequencies(rope: RopeSettings, size: number, length: number): Float32Array {
  const plain = (theta: number): Float32Array =>
    Float32Array.from({ length: size / 2 }, (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / size)));
  switch (rope.kind) {
    case "default":
      return plain(rope.theta);
    case "linear":
      return plain(rope.theta).map((frequency) => frequency / rope.factor);
    case "proportional": {
      const turned = Math.trunc((rope.share * size) / 2);
      return plain(rope.theta).map((frequency, i) => (i < turned ? frequency / rope.factor : 0));
    }
    case "dynamic":
      return plain(dynamicTheta(rope, size, length));
    case "llama3":
      return plain(rope.theta).map((frequency) => llama3Frequency(rope, frequency));
    case "yarn":
      return yarnFrequencies(rope, plain(rope.theta));
    case "longrope": {
      const factors = length > rope.originalContext ? rope.longFactors : rope.shortFactors;
      return Float32Array.from(factors, (factor, i) => {
        const power = Math.fround(rope.theta ** Math.fround((2 * i) / size));
        return 1 / Math.fround(Math.fround(factor) * power);
      });
    }
  }
}

function dynamicTheta(rope: RopeSettings & { kind: "dynamic" }, size: number, length: number): number {
  const stretch = Math.max(length, rope.contextLength) / rope.contextLength;
  return rope.theta * (rope.factor * stretch - (rope.factor - 1)) ** (size / (size - 2));
}

function llama3Frequency(rope: RopeSettings & { kind: "llama3" }, frequency: number): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext } = rope;
  const turns = (originalContext * frequency) / (2 * Math.PI);
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const smooth = (turns - low) / (high - low);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

function yarnFrequencies(rope: RopeSettings & { kind: "yarn" }, plain: Float32Array): Float32Array {
  const size = plain.length * 2;
  /** The channel pair that turns `turns` times within the original context. */
  const pairAt = (turns: number): number =>
    (size * Math.log(rope.originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(rope.theta));
  const whole = rope.truncate ? { down: Math.floor, up: Math.ceil } : { down: Number, up: Number };
  const first = Math.max(whole.down(pairAt(rope.betaFast)), 0);
  const last = Math.min(whole.up(pairAt(rope.betaSlow)), size - 1);
  const span = first === last ? 0.001 : last - first;
  return plain.map((frequency, i) => {
    const interpolated = Math.min(Math.max((i - first) / span, 0), 1);
    return (frequency / rope.factor) * interpolated + frequency * (1 - interpolated);
  });
}

/** LongRoPE's default for the scale of cos and sin: √(1 + ln(factor)/ln(original context)) [arXiv:2402.13753]. */
export function longropeAttentionFactor(factor: number, originalContext: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext));
}

/** YaRN's default for the scale of cos and sin: 0.1·mscale·ln(factor) + 1 [arXiv:2309.00071, eq. 22]. */
export function yarnAttentionFactor(
  factor: number,
  mscale: number | undefined,
  mscaleAllDimensions: number | undefined,
): number {
  const scale = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  return mscale && mscaleAllDimensions ? scale(mscale) / scale(mscaleAllDimensions) : scale(1);
}
