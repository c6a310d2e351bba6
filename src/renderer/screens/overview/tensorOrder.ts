import { storedAs, type TensorInfo } from "#shared/model.ts";

/** Parts of a decoder layer in the order data flows through them. */
const FLOW = [
  "input_layernorm",
  "q_proj",
  "k_proj",
  "v_proj",
  "qkv_proj",
  "q_norm",
  "k_norm",
  "o_proj",
  "post_attention_layernorm",
  "pre_feedforward_layernorm",
  "gate_proj",
  "up_proj",
  "gate_up_proj",
  "down_proj",
  "post_feedforward_layernorm",
];

/** Tensors as data meets them: embedding, layers, final norm, head. Stable for names it does not know. */
export function inFlowOrder(tensors: readonly TensorInfo[]): TensorInfo[] {
  return tensors
    .map((tensor) => ({ tensor, stage: stage(tensor), part: part(tensor.name) }))
    .sort((a, b) => a.stage - b.stage || a.part - b.part)
    .map(({ tensor }) => tensor);
}

function stage(tensor: TensorInfo): number {
  if (tensor.layer !== null) return tensor.layer;
  if (tensor.role === "embedding") return -1;
  return tensor.role === "head" ? Infinity : Number.MAX_SAFE_INTEGER;
}

function part(name: string): number {
  const at = FLOW.findIndex((piece) => name.includes(`.${piece}.`));
  return at < 0 ? FLOW.length : at;
}

/** Tensors whose name, shape, type or role holds every word. */
export function matching(tensors: readonly TensorInfo[], query: string): readonly TensorInfo[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return tensors;
  return tensors.filter((tensor) => {
    const text =
      `${tensor.name} ${tensor.shape.join("×")} ${tensor.shape.join("x")} ${storedAs(tensor)} ${tensor.role}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export interface RoleShare {
  name: string;
  parameters: number;
  fraction: number;
}

const ROLE_NAMES: [TensorInfo["role"], string][] = [
  ["mlp", "MLP"],
  ["attention", "Attention"],
  ["embedding", "Embedding"],
  ["head", "Head"],
  ["norm", "Norm"],
  ["bias", "Bias"],
  ["other", "Other"],
];

/** How the parameters divide among the roles, largest first; roles without any are left out. */
export function parametersByRole(tensors: readonly TensorInfo[], tied: boolean): RoleShare[] {
  const total = tensors.reduce((sum, tensor) => sum + tensor.parameters, 0);
  return ROLE_NAMES.map(([role, name]) => {
    const parameters = tensors
      .filter((tensor) => tensor.role === role)
      .reduce((sum, tensor) => sum + tensor.parameters, 0);
    return {
      name: role === "embedding" && tied ? "Embedding, tied to the head" : name,
      parameters,
      fraction: total > 0 ? parameters / total : 0,
    };
  })
    .filter(({ parameters }) => parameters > 0)
    .sort((a, b) => b.parameters - a.parameters);
}

/** Fewer, wider bins for a small drawing, as heights from 0 to 1 on a log scale of the count. */
export function logBars(counts: readonly number[], bars: number): number[] {
  const width = Math.max(1, Math.ceil(counts.length / bars));
  const merged = Array.from({ length: Math.ceil(counts.length / width) }, (_, i) =>
    counts.slice(i * width, (i + 1) * width).reduce((sum, count) => sum + count, 0),
  );
  const top = Math.log1p(Math.max(...merged, 1));
  return merged.map((count) => Math.log1p(count) / top);
}
