import { ofExpert } from "#engine/architecture/decoder/tensors.ts";
import type { Mlp as MlpBody, Norm } from "#engine/architecture/description/description.ts";
import { describeDecoder, familyNameOf } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { layerOf } from "#engine/checkpoint/tensorRole.ts";
import { KeystoneError } from "#shared/errors.ts";

/** What one layer's MLP, or one of its experts, is made of, by tensor name. */
export interface Mlp {
  readonly layer: number;
  readonly expert?: number;
  /** The output projection, (hidden, neurons). */
  readonly down: string;
  /** (neurons, hidden), or twice as many rows, gate's first. */
  readonly up: string;
  /** Absent where it is not gated, or in one matrix with `up`. */
  readonly gate?: string;
  /** The weight of the norm in front of it, and whether its gain is one plus that. */
  readonly norm?: { readonly name: string; readonly onePlus: boolean };
}

/** The MLPs of a checkpoint: by its family's equations, or where none is known by the names that MLPs usually have. */
export function findMlps(checkpoint: Checkpoint): Mlp[] {
  const found = byEquations(checkpoint) ?? byNames(checkpoint);
  return found.sort((a, b) => a.layer - b.layer);
}

function byEquations({ config, tensors }: Checkpoint): Mlp[] | null {
  if (familyNameOf(config) === null) return null;
  try {
    const { layers, layersPath } = describeDecoder(config);
    const found = layers.flatMap(({ mlp: { body, before } }, layer): Mlp[] => {
      const numbers = Array.from({ length: body.experts?.count ?? 1 }, (_, expert) => expert);
      return numbers.flatMap((expert) => {
        const at = (path: string): string => `${layersPath}.${layer}.${ofExpert(path, expert)}.weight`;
        const whose = body.experts ? { expert } : {};
        const mlp = { layer, ...whose, down: at(body.down.path), ...inputs(body, at), ...normOf(before, at) };
        return tensors.has(mlp.down) && tensors.has(mlp.up) ? [mlp] : [];
      });
    });
    return found.length > 0 ? found : null;
  } catch (error) {
    // a config that does not describe a model: the tensors' names still tell
    if (error instanceof KeystoneError) return null;
    throw error;
  }
}

function inputs(
  { projections: it }: MlpBody,
  at: (path: string) => string,
): { readonly up: string; readonly gate?: string } {
  if (it.kind === "gated") return { gate: at(it.gate.path), up: at(it.up.path) };
  return { up: at(it.kind === "plain" ? it.up.path : it.gateUp.path) };
}

function normOf(norm: Norm | null, at: (path: string) => string): Pick<Mlp, "norm"> {
  if (norm === null || norm.gain === "none") return {};
  return { norm: { name: at(norm.path), onePlus: norm.gain === "1+w" } };
}

/** What MLPs call their matrices: output projection, then what goes with it. */
const NAMES: readonly { readonly down: string; readonly up: readonly string[]; readonly gate?: string }[] = [
  { down: "down_proj", up: ["up_proj", "gate_up_proj"], gate: "gate_proj" },
  { down: "dense_4h_to_h", up: ["dense_h_to_4h"] },
  { down: "c_proj", up: ["c_fc"] },
  { down: "fc2", up: ["fc1"] },
  { down: "fc_out", up: ["fc_in"] },
  { down: "w2", up: ["w3", "w1"], gate: "w1" },
  { down: "output_linear", up: ["input_linear"] },
  { down: "ff_out", up: ["ff_proj"] },
];
const NORMS = ["pre_feedforward_layernorm", "post_attention_layernorm", "ffn_norm", "ln_2"];

function byNames({ tensors }: Checkpoint): Mlp[] {
  return [...tensors.keys()].flatMap((down): Mlp[] => {
    const layer = layerOf(down);
    const match = /^(.*\.)?([^.]+)\.weight$/.exec(down);
    const names = NAMES.find((it) => it.down === match?.[2]);
    if (layer === null || !match || !names) return [];
    const [, module = ""] = match;
    const named = (at: string, name: string): string | undefined =>
      tensors.has(`${at}${name}.weight`) ? `${at}${name}.weight` : undefined;
    const up = names.up.map((name) => named(module, name)).find((name) => name !== undefined);
    const gate = names.gate === undefined ? undefined : named(module, names.gate);
    if (up === undefined) return [];
    const top = /^(?:.*\.)?(?:layers|h|blocks)\.\d+\./.exec(down)?.[0] ?? "";
    const norm = NORMS.map((name) => named(top, name)).find((name) => name !== undefined);
    return [
      {
        ...{ layer, down, up },
        ...(gate !== undefined && gate !== up ? { gate } : {}),
        ...(norm === undefined ? {} : { norm: { name: norm, onePlus: false } }),
      },
    ];
  });
}
