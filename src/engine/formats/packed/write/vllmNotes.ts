import { VLLM_GROUPS } from "#shared/exportFormats/vllm.ts";
import type { Note } from "#shared/notes.ts";
import type { ExportSource } from "../../write/exporter.ts";
import type { PackedScheme } from "./packedSchemes.ts";

/** Linears that vLLM and others compute as one, which must therefore be packed alike. */
const FUSED = [
  ["q_proj", "k_proj", "v_proj"],
  ["gate_proj", "up_proj"],
] as const;

/** Says where only some of the linears that runtimes fuse are packed, or packed differently. */
export function fusedNotes({ model, variant }: Pick<ExportSource, "model" | "variant">): Note[] {
  const uneven = FUSED.filter((names) => {
    const groups = Map.groupBy(
      [...model.checkpoint.tensors.values()].flatMap(({ name }) => {
        const found = names.find((each) => name.endsWith(`.${each}.weight`));
        return found === undefined ? [] : [{ name, block: name.slice(0, -`${found}.weight`.length) }];
      }),
      ({ block }) => block,
    );
    return [...groups.values()].some(
      (members) => new Set(members.map(({ name }) => settings(name))).size > 1,
    );
  });
  function settings(name: string): string {
    const plan = variant.plans.get(name);
    return plan ? JSON.stringify([plan.bits, plan.symmetric, plan.granularity]) : "unquantized";
  }
  return uneven.map((names): Note => ({
    code: "vllm/fused",
    text: `vLLM computes ${names.join(", ")} as one and refuses a layer in which they are not packed alike; transformers takes it.`,
  }));
}

/** Says where vLLM has no kernel for a group. */
export function vllmGroupNotes(schemes: readonly PackedScheme[]): Note[] {
  const odd = schemes.find(({ groupSize }) => groupSize !== null && !VLLM_GROUPS.includes(groupSize));
  return odd
    ? [
        {
          code: "vllm/group",
          text: `vLLM has kernels for groups of ${VLLM_GROUPS.join(", ")}, not of ${odd.groupSize}.`,
        },
      ]
    : [];
}
