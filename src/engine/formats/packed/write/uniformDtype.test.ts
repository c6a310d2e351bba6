import { describe, expect, it } from "vitest";
import { textsOf } from "#shared/notes.ts";
import { uniformDtype } from "./uniformDtype.ts";

describe("the type that packed modules are computed in", () => {
  it("is their own where they have one", () => {
    const plans = [1, 2].map(() => ({ scheme: "compressed-tensors", storage: "BF16" }) as const);
    expect(uniformDtype(plans)).toEqual({ changes: [] });
    expect(uniformDtype([])).toEqual({ changes: [] });
  });

  it("is F32 where they have several, which holds the numbers of each", () => {
    const { storage, changes } = uniformDtype([
      { scheme: "compressed-tensors", storage: "F16" },
      { scheme: "compressed-tensors", storage: "BF16" },
    ]);
    expect(storage).toBe("F32");
    expect(textsOf(changes)).toEqual([expect.stringContaining("BF16 and F16 become F32")]);
  });

  it("is F16 where the format's runtimes compute in half precision", () => {
    const plans = [
      { scheme: "gptq-int", storage: "F16" },
      { scheme: "gptq-int", storage: "BF16" },
    ] as const;
    expect(uniformDtype(plans).storage).toBe("F16");
  });
});
