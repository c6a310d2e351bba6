import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ggufEndTokens } from "./ggufEndTokens.ts";
import { MetadataReader, type MetadataEntry } from "../layout/metadata.ts";

const golden = z
  .array(
    z.object({
      name: z.string(),
      tokens: z.array(z.string()),
      ids: z.record(z.string(), z.number()),
      ends: z.array(z.number()),
    }),
  )
  .parse(
    JSON.parse(
      readFileSync(join(import.meta.dirname, "../../../../../test/golden/endTokens/golden.json"), "utf8"),
    ),
  );

function endsOf(tokens: readonly string[], ids: Readonly<Record<string, number>>): number[] {
  const entries: [string, MetadataEntry][] = [
    ["tokenizer.ggml.tokens", { type: "string", value: tokens }],
    ...Object.entries(ids).map(([key, value]): [string, MetadataEntry] => [key, { type: "u32", value }]),
  ];
  return ggufEndTokens(new MetadataReader(new Map(entries), "model.gguf"));
}

describe("a GGUF vocabulary ends texts where llama.cpp does", () => {
  it.each(golden)("$name", ({ tokens, ids, ends }) => {
    expect(endsOf(tokens, ids)).toEqual(ends);
  });
});

it("an id beyond the vocabulary ends nothing", () => {
  expect(endsOf(["a", "b"], { "tokenizer.ggml.eos_token_id": 7 })).toEqual([]);
});
