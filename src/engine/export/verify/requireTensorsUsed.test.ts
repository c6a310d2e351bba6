import { describe, expect, it } from "vitest";
import type { Inventory, InventoryEntry } from "#shared/inventory.ts";
import { requireTensorsUsed } from "./requireTensorsUsed.ts";

const reopened: { path: string; inventory: Inventory } = {
  path: "/out",
  inventory: [
    { name: "token_embd.weight", kind: "tensor", usedBy: "embeddings" },
    { name: "general.name", kind: "config", notUsedBecause: { code: "description", text: "a name" } },
  ],
};
const layer: InventoryEntry = {
  name: "blk.2.attn_q.weight",
  kind: "tensor",
  notUsedBecause: { code: "beyond-layers", text: "the model has 2 layers" },
};
const more = { ...reopened, inventory: [...reopened.inventory, layer] };

describe("a reopened export", () => {
  it("is refused where a GGUF file holds a tensor that its own metadata has no use for", () => {
    expect(() => requireTensorsUsed("gguf", more)).toThrow(
      /holds tensor blk\.2\.attn_q\.weight, .*\(the model has 2 layers\); llama\.cpp does not load/,
    );
  });

  it("is taken where every tensor is used, whatever fields are not, and in formats whose runtimes pass tensors over", () => {
    expect(() => requireTensorsUsed("gguf", reopened)).not.toThrow();
    expect(() => requireTensorsUsed("safetensors", more)).not.toThrow();
  });
});
