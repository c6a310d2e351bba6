import { describe, expect, it } from "vitest";
import { readArchitecture } from "#engine/architecture/readArchitecture.ts";
import { bytesSource } from "#engine/files/byteSource.ts";
import { readOnnxModel } from "#engine/formats/onnx/read/readModel.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { TensorInfo } from "#shared/model.ts";
import { parseRecipe } from "#shared/plan.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { planDecoder } from "#engine/formats/onnx/write/decoderPlan.ts";

/** config.json of a model of 7 billion parameters. */
const CONFIG = {
  ...{ model_type: "llama", vocab_size: 32_000, hidden_size: 4096, intermediate_size: 11_008 },
  ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 32 },
};
const GIB = 2 ** 30;

/** The same as a checkpoint of shapes alone. */
function model(): ExportModel {
  const shapes = new Map<string, readonly number[]>([
    ["model.embed_tokens.weight", [32_000, 4096]],
    ["model.norm.weight", [4096]],
    ["lm_head.weight", [32_000, 4096]],
  ]);
  for (let layer = 0; layer < 32; layer++) {
    const at = `model.layers.${layer}`;
    for (const slot of ["q_proj", "k_proj", "v_proj", "o_proj"])
      shapes.set(`${at}.self_attn.${slot}.weight`, [4096, 4096]);
    for (const slot of ["gate_proj", "up_proj"]) shapes.set(`${at}.mlp.${slot}.weight`, [11_008, 4096]);
    shapes.set(`${at}.mlp.down_proj.weight`, [4096, 11_008]);
    for (const slot of ["input_layernorm", "post_attention_layernorm"])
      shapes.set(`${at}.${slot}.weight`, [4096]);
  }
  const infos = Array.from(shapes, ([name, shape]): [string, TensorInfo] => {
    const parameters = shape.reduce((product, size) => product * size, 1);
    const place = { file: "model.safetensors", begin: 0, end: 2 * parameters };
    const layer = /layers\.(\d+)\./.exec(name)?.[1];
    const role = name.includes("norm") ? "norm" : name.includes("lm_head") ? "head" : "mlp";
    return [
      name,
      {
        ...{ name, shape: [...shape], dtype: "F16", parameters, bytes: 2 * parameters, ...place },
        ...{ role, layer: layer === undefined ? null : Number(layer) },
        linear: layer !== undefined && shape.length === 2,
      },
    ];
  });
  const tensors = new Map(infos);
  return {
    checkpoint: { tensors, config: CONFIG } as unknown as Checkpoint,
    architecture: readArchitecture(CONFIG, tensors),
    superWeights: [[2, 3968, 7003]],
  };
}

function planOf(recipe: object) {
  const source = model();
  const request = { recipe: parseRecipe(recipe), format: "onnx", kept: "unquantized" } as const;
  return planDecoder(source, adaptVariant(source, request).variant);
}

describe("a decoder of 7 billion parameters", () => {
  it("lies in one file past 2 GB and 4 GB whose places the model names, the model itself staying small", async () => {
    const {
      model: bytes,
      tensors,
      dataBytes,
    } = planOf({ scheme: "matmulnbits", bits: 8, granularity: "group:32" });
    expect(dataBytes).toBeGreaterThan(7 * GIB);
    expect(bytes.byteLength).toBeLessThan(1_000_000);
    const { initializers } = await readOnnxModel(bytesSource("model.onnx", bytes));
    for (const { name, offset, bytes: length } of tensors)
      expect(initializers.get(name)?.data).toEqual({ file: "model.onnx.data", offset, length });
    expect(Math.max(...tensors.map(({ offset }) => offset))).toBeGreaterThan(4 * GIB);
  });

  it("begins large tensors where every system can map them, and none inside another", () => {
    const { tensors, dataBytes } = planOf({ scheme: "matmulnbits", bits: 4, granularity: "group:128" });
    let end = 0;
    for (const { name, offset, bytes } of tensors) {
      expect(offset % (bytes >= 2 ** 20 ? 65_536 : 64), name).toBe(0);
      expect(offset, name).toBeGreaterThanOrEqual(end);
      end = offset + bytes;
    }
    expect(end).toBe(dataBytes);
  });

  it("takes 4.28 bits a quantized weight with group:128, and a dozen bytes for its super weight", () => {
    const plain = planOf({ scheme: "matmulnbits", bits: 4, granularity: "group:128" });
    const bytes = plain.tensors.reduce(
      (sum, tensor) => (tensor.type === "float16" ? sum : sum + tensor.bytes),
      0,
    );
    const weights = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11_008);
    expect(((8 * bytes) / weights).toFixed(2)).toBe("4.28");
    const restored = planOf({
      scheme: "matmulnbits",
      bits: 4,
      granularity: "group:128",
      restore: "super-weights",
    });
    const added = restored.tensors.filter(({ name }) => name.includes("_restored_"));
    expect(added.reduce((sum, tensor) => sum + tensor.bytes, 0)).toBe(12);
  });
});
