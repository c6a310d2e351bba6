import type { DeviceName } from "#shared/device.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { chooseDevice } from "./chooseDevice.ts";
import { embed } from "./embed.ts";
import { createCachedLayers } from "./cachedLayers.ts";
import { createHead } from "./head.ts";
import { createLayers } from "./layers.ts";
import { createOutputSquares } from "./outputSquares.ts";
import type { Forward, Taps } from "./forward.ts";

export interface ForwardOptions {
  readonly device: DeviceName;
  /** Threads of the CPU provider. */
  readonly threads: number;
}

/**
 * Opens the forward pass of one architecture on one device. Sessions are made when they are first needed and serve every
 * layer and variant, since weights are inputs.
 * @throws KeystoneError device/unavailable, device/inexact where the device that was asked for is not there or computes
 *   something else than the CPU
 */
export async function createForward(architecture: Architecture, options: ForwardOptions): Promise<Forward> {
  const device = await chooseDevice(options);
  const layers = createLayers(architecture, { provider: device.used, threads: options.threads });
  const cached = createCachedLayers(architecture, { provider: device.used, threads: options.threads });
  const head = createHead(architecture, { provider: device.used, threads: options.threads });
  const squares = createOutputSquares({ provider: device.used, threads: options.threads });
  return {
    device,
    embed: (checkpoint, windows, places) => embed(architecture, checkpoint, windows, places),
    layer: (layer, hidden, weights, inputs) => layers.run(layer, hidden, weights, { inputs }),
    layerWithTaps: async (layer, hidden, weights, inputs, watch) => {
      const taps = tapsOf(architecture, layer, hidden.batch * hidden.sequence);
      return { hidden: await layers.run(layer, hidden, weights, { taps, inputs, watch }), taps };
    },
    layerWithReach: (layer, hidden, weights, reached) => layers.run(layer, hidden, weights, { reached }),
    layerWithMaxima: (layer, hidden, weights, maxima) => layers.run(layer, hidden, weights, { maxima }),
    layerWithLinearInputs: async (layer, hidden, weights) => {
      const inputs = linearInputsOf(architecture, layer, hidden.batch * hidden.sequence);
      return { hidden: await layers.run(layer, hidden, weights, { linearInputs: inputs }), inputs };
    },
    layerWithCache: cached.run,
    outputSquares: squares.outputSquares,
    logits: head.logits,
    logProbabilities: head.logProbabilities,
    score: head.score,
    judge: head.judge,
    close: async () => {
      await layers.close();
      await cached.close();
      await head.close();
      await squares.close();
    },
  };
}

function linearInputsOf(
  architecture: Architecture,
  layer: number,
  tokens: number,
): Record<string, Float32Array> {
  const linears = architecture.layerTensors(layer).filter(({ kind, expert }) => kind === "linear" && !expert);
  return Object.fromEntries(linears.map(({ slot, shape }) => [slot, new Float32Array(tokens * shape[1])]));
}

function tapsOf(architecture: Architecture, layer: number, tokens: number): Taps {
  const { facts, description } = architecture;
  const { width } = description.layers[layer].mlp.body;
  return {
    input: new Float32Array(architecture.expertsOf(layer) > 0 ? 0 : tokens * width),
    output: new Float32Array(tokens * facts.hiddenSize),
  };
}
