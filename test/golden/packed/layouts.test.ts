import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { PACKED_MODULE, packedFolder } from "../../support/packedFolder.ts";

const base64 = z.string().transform((text) => Uint8Array.from(Buffer.from(text, "base64")));
const golden = z.array(
  z.object({
    case: z.string(),
    config: z.record(z.string(), z.unknown()),
    tensors: z.record(
      z.string(),
      z.object({ dtype: z.string(), shape: z.array(z.number()), data: base64 }),
    ),
    shape: z.array(z.number()),
    weights: base64,
  }),
);
const cases = golden.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "layouts.json"), "utf8")),
);

describe("packed modules mean what their format's formula says:", () => {
  it.each(cases)("$case", async ({ config, tensors, shape, weights }) => {
    const checkpoint = await openCheckpoint(await packedFolder(tensors, config));
    try {
      const name = `${PACKED_MODULE}.weight`;
      expect(checkpoint.tensors.get(name)?.shape).toEqual(shape);
      expect(await checkpoint.read(name)).toEqual(new Float32Array(weights.buffer));
    } finally {
      await checkpoint.close();
    }
  });
});
