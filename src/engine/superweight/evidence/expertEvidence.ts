import type { Peak } from "#shared/detection.ts";
import type { ExpertTap } from "#engine/forward/forward.ts";
import { largestOutputs, rowsIn, tracedOutputs, type PromptSpan, type TracedOutput } from "./evidence.ts";
import { peakOf } from "./peaks.ts";

/** What one expert did with the prompt. */
export interface SeenExpert {
  readonly layer: number;
  readonly expert: number;
  /** Of the prompt, that it got. */
  readonly tokens: number;
  /** Its down_proj's largest output, before the router's share. */
  readonly output: Peak;
}

/** Looks at the experts of one layer, one after the other, while each one's weights are in memory. */
export class ExpertEvidence {
  /** The largest outputs of all experts that were shown. */
  outputs: readonly TracedOutput[] = [];
  /** The largest value that goes into any expert's down_proj. */
  input: Peak = { value: 0, token: 0, channel: 0 };
  readonly seen: SeenExpert[] = [];
  /** What an output must reach to be traced. */
  private least = 0;
  private readonly layer: number;
  private readonly hiddenSize: number;
  private readonly residualIn: Float32Array;
  private readonly downSlot: string;
  private readonly prompts: readonly PromptSpan[];

  /**
   * @param residualIn the residual stream before the layer: (rows of the batch, hidden)
   * @param downSlot of down_proj among an expert's matrices
   * @param prompts the first is judged
   */
  constructor(
    layer: number,
    hiddenSize: number,
    residualIn: Float32Array,
    downSlot: string,
    prompts: readonly PromptSpan[],
  ) {
    this.layer = layer;
    this.hiddenSize = hiddenSize;
    this.residualIn = residualIn;
    this.downSlot = downSlot;
    this.prompts = prompts;
  }

  show({ expert, rows, shares, input, output, weights }: ExpertTap): void {
    const { layer, hiddenSize, residualIn, prompts } = this;
    const [judged] = prompts;
    const { begin, end } = rowsIn(rows, judged);
    if (begin === end) return;
    const peak = (values: Float32Array): Peak => {
      const width = values.length / rows.length;
      const found = peakOf(values.subarray(begin * width, end * width), width);
      return { ...found, token: rows[begin + found.token] - judged.offset };
    };
    this.seen.push({ layer, expert, tokens: end - begin, output: peak(output) });
    const largest = peak(input);
    if (Math.abs(largest.value) > Math.abs(this.input.value)) this.input = { ...largest, expert };
    const states = {
      ...{ expert, hiddenSize, down: weights[this.downSlot], rows, shares, input, residualIn },
      output: output.map((value, i) => value * shares[Math.floor(i / hiddenSize)]),
    };
    const { outputs, least } = largestOutputs([
      ...this.outputs,
      ...tracedOutputs(states, prompts, this.least),
    ]);
    this.outputs = outputs;
    this.least = least;
  }
}
