/** Files of an ONNX decoder's folder: the graph, and the weights beside it. */
export const MODEL_FILE = "model.onnx";
export const DATA_FILE = "model.onnx.data";

/** Names of what a packed matrix is stored as; the first three are those that onnxruntime's own quantizer gives. */
export function packedNames(name: string, bits: number) {
  return {
    codes: `${name}_Q${bits}`,
    scales: `${name}_scales`,
    zeroPoints: `${name}_zero_points`,
    restoredRows: `${name}_restored_rows`,
    restoredColumns: `${name}_restored_columns`,
    restoredValues: `${name}_restored_values`,
  } as const;
}

/** The name that {@link packedNames} gives to codes, without its ending; null where it is another. */
export function withoutCodesEnding(codes: string): string | null {
  return /^(.+)_Q\d$/.exec(codes)?.[1] ?? null;
}

const LAYER = /^model\.layers\.(\d{1,6})\.(.+)$/;
const LINEAR =
  /^(?:self_)?attn\.((?:q|k|v|o|qkv)_proj)(?:\.(.+))?$|^mlp\.((?:gate|up|gate_up|down)_proj)(?:\.(.+))?$/;
const NORM = /^((?:input|post_attention|pre_feedforward|post_feedforward)_layernorm)\.(weight|bias)$/;

/**
 * Hugging Face's name of what a tensor or operator of an ONNX decoder is called, in Keystone's, onnxruntime-genai's or
 * Optimum's way: `/model/layers.0/attn/q_proj/MatMul_Q4` is `model.layers.0.self_attn.q_proj.weight`. Null for other names.
 */
export function huggingFaceName(name: string): string | null {
  const path = name.replace(/^\//, "").replaceAll("/", ".");
  if (/^lm_head(\.|$)/.test(path)) return path.endsWith("bias") ? "lm_head.bias" : "lm_head.weight";
  if (/^model\.embed_tokens(\.|$)/.test(path)) return "model.embed_tokens.weight";
  if (/^model\.(layers\.\d{1,6}\.final_norm_layernorm|norm)\.weight$/.test(path)) return "model.norm.weight";
  const [, layer, rest] = LAYER.exec(path) ?? [];
  if (layer === undefined || rest === undefined) return null;
  if (NORM.test(rest)) return `model.layers.${layer}.${rest}`;
  const [, attention, behind, mlp, behindMlp] = LINEAR.exec(rest) ?? [];
  const linear = attention === undefined ? mlp && `mlp.${mlp}` : `self_attn.${attention}`;
  if (!linear) return null;
  const isBias = /(^|\.)bias$/.test(behind ?? behindMlp ?? "");
  return `model.layers.${layer}.${linear}.${isBias ? "bias" : "weight"}`;
}
