import type { Note } from "#shared/notes.ts";
import { basename } from "node:path";
import type { ScannedLayer, ScanReport } from "#shared/scan.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { median } from "#engine/evaluate/metrics.ts";
import type { Control } from "#engine/evaluate/stream/engine.ts";
import { coordinateOf } from "#shared/recipe.ts";
import { publishedMatch } from "../published/published.ts";
import { findMlps, type Mlp } from "./mlps.ts";

const NOTES: Note[] = [
  {
    code: "scan/preview",
    text: "This is a preview from the weights alone: no forward pass was made. It shows where the MLP could amplify most, not what the model needs.",
  },
  {
    code: "scan/cancelling",
    text: "A late layer that takes back a super activation scores as high as the layer that makes it. Detection tells them apart, and measures what is lost.",
  },
];

/**
 * Row and column scores of every layer's MLP without a forward pass. With d = down_proj (out k, neuron i), g and u = the rows of gate_proj
 * and up_proj, and the norm's gain folded into both: c_ki = d_ki² · ‖g_i‖² · ‖u_i‖², a row's score is √Σ_i c_ki. A row far beyond the
 * layer's median whose score one column makes is a super weight's sign (the diagonal form of the census's cold detector). Three matrices are in
 * memory at a time. Which tensors these are, the family's equations say; of models that cannot be run, the names that MLPs usually have.
 * @throws KeystoneError scan/no-mlp, checkpoint/unreadable-dtype, job/cancelled
 */
export async function scanWeights(checkpoint: Checkpoint, control?: Control): Promise<ScanReport> {
  const begin = performance.now();
  const mlps = findMlps(checkpoint);
  if (mlps.length === 0) throw noMlp();
  const count = new Set(mlps.map(({ layer }) => layer)).size;
  const layers: ScannedLayer[] = [];
  for (const mlp of mlps) {
    layers.push(await scanLayer(checkpoint, mlp, count));
    await control?.check();
  }
  return {
    model: basename(checkpoint.path),
    layers: layers.sort((a, b) => b.timesMedian - a.timesMedian),
    notes: NOTES,
    seconds: (performance.now() - begin) / 1000,
  };
}

async function scanLayer(checkpoint: Checkpoint, mlp: Mlp, layers: number): Promise<ScannedLayer> {
  const [rows, columns] = checkpoint.tensors.get(mlp.down)?.shape ?? [];
  const strength = await neuronStrengths(checkpoint, mlp, columns);
  const down = await checkpoint.read(mlp.down);
  const scores = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let total = 0;
    for (let i = 0; i < columns; i++) total += down[row * columns + i] ** 2 * strength[i];
    scores[row] = Math.sqrt(total);
  }
  const row = scores.indexOf(Math.max(...scores));
  const part = (column: number): number => down[row * columns + column] ** 2 * strength[column];
  let column = 0;
  for (let i = 1; i < columns; i++) if (part(i) > part(column)) column = i;
  const shape = { layers, hiddenSize: rows, intermediateSize: columns };
  return {
    ...(mlp.expert === undefined ? {} : { expert: mlp.expert }),
    ...{ layer: mlp.layer, tensor: mlp.down, row, column, value: down[row * columns + column] },
    timesMedian: scores[row] / (median([...scores]) || 1),
    share: part(column) / (scores[row] ** 2 || 1),
    published: publishedMatch(shape, coordinateOf({ layer: mlp.layer, row, column, expert: mlp.expert })),
  };
}

/** ‖g_i‖² · ‖u_i‖² of every neuron; ‖u_i‖² alone where the MLP is not gated. */
async function neuronStrengths(checkpoint: Checkpoint, mlp: Mlp, neurons: number): Promise<Float64Array> {
  const gain = mlp.norm === undefined ? null : await gainOf(checkpoint, mlp.norm);
  const up = rowNorms(await checkpoint.read(mlp.up), gain, checkpoint.tensors.get(mlp.up)?.shape[1] ?? 1);
  const gate =
    mlp.gate === undefined
      ? null
      : rowNorms(await checkpoint.read(mlp.gate), gain, checkpoint.tensors.get(mlp.gate)?.shape[1] ?? 1);
  // gate and up in one matrix: gate's rows come first
  const fused = up.length === 2 * neurons;
  return Float64Array.from({ length: neurons }, (_, i) => {
    if (fused) return up[i] * up[neurons + i];
    return up[i] * (gate ? gate[i] : 1);
  });
}

/** What the norm in front multiplies every channel with. */
async function gainOf(
  checkpoint: Checkpoint,
  { name, onePlus }: NonNullable<Mlp["norm"]>,
): Promise<Float32Array> {
  const weight = await checkpoint.read(name);
  return onePlus ? weight.map((w) => 1 + w) : weight;
}

/** Σ (w·gain)² of every row. */
function rowNorms(weights: Float32Array, gain: Float32Array | null, columns: number): Float64Array {
  const norms = new Float64Array(weights.length / columns);
  for (let row = 0; row < norms.length; row++) {
    let total = 0;
    for (let j = 0; j < columns; j++) total += (weights[row * columns + j] * (gain ? gain[j] : 1)) ** 2;
    norms[row] = total;
  }
  return norms;
}

function noMlp(): KeystoneError {
  return new KeystoneError(
    "scan/no-mlp",
    "No layer of this checkpoint has an MLP whose matrices have names that are known (down_proj beside up_proj, fc2 beside fc1, …).",
    "The scan needs these tensors; the overview lists what the checkpoint holds.",
  );
}
