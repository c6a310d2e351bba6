import { describe, expect, it } from "vitest";
import { uniformDtype } from "./uniformDtype.ts";

describe("the type that packed modules are computed in", () => {
  it("is their own where they have one", () => {
    const plans = [1, 2].map(() => ({ codec: "compressed-tensors", storage: "BF16" }) as const);
    expect(uniformDtype(plans)).toEqual({ changes: [] });
    expect(uniformDtype([])).toEqual({ changes: [] });
  });

  it("is F32 where they have several, which holds the numbers of each", () => {
    const { storage, changes } = uniformDtype([
      { codec: "compressed-tensors", storage: "F16" },
      { codec: "compressed-tensors", storage: "BF16" },
    ]);
    expect(storage).toBe("F32");
    expect(changes).toEqual([expect.stringContaining("BF16 and F16 become F32")]);
  });

  it("is F16 where the format's runtimes compute in half precision", () => {
    const plans = [
      { codec: "gptq", storage: "F16" },
      { codec: "gptq", storage: "BF16" },
    ] as const;
    expect(uniformDtype(plans).storage).toBe("F16");
  });
});
