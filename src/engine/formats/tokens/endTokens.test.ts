import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../test/support/syntheticCheckpoint.ts";
import { endTokens } from "./endTokens.ts";

async function endsOf(
  files: { generation?: unknown; config?: Record<string, unknown> },
  eos: number | null = null,
): Promise<number[]> {
  const path = await temporaryFolder();
  if (files.generation !== undefined)
    await writeFile(join(path, "generation_config.json"), JSON.stringify(files.generation));
  return endTokens({ path, config: files.config ?? {} }, { eos });
}

describe("a text ends", () => {
  it("at every id of a list in generation_config.json, which goes before config.json", async () => {
    const files = { generation: { eos_token_id: [9, 7] }, config: { eos_token_id: 2 } };
    expect(await endsOf(files)).toEqual([7, 9]);
  });

  it("at config.json's ids where generation_config.json names none", async () => {
    expect(await endsOf({ generation: {}, config: { eos_token_id: [5, 2] } })).toEqual([2, 5]);
    expect(await endsOf({ config: { eos_token_id: 2 } })).toEqual([2]);
  });

  it("at the tokenizer's EOS too", async () => {
    expect(await endsOf({ generation: { eos_token_id: 3 } }, 8)).toEqual([3, 8]);
    expect(await endsOf({}, 0)).toEqual([0]);
  });

  it("nowhere where no file names an end", async () => {
    expect(await endsOf({ generation: { eos_token_id: null }, config: { eos_token_id: -1 } })).toEqual([]);
  });
});
