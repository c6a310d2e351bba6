import { readFileSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { readTokenizerFiles, tokenizerOf } from "#engine/tokenizer/tokenizerFiles.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "../golden/tokenizer");
const DEMO = join(import.meta.dirname, "../../resources/demo-model/model");

interface Expected {
  text: string;
  ids: number[];
  decoded: string;
  decodedWithSpecials: string;
}
const golden = JSON.parse(readFileSync(join(GOLDEN, "golden.json"), "utf8")) as Record<string, Expected[]>;
const folderOf = (name: string) => (name === "demo" ? DEMO : join(GOLDEN, name));

describe.each(Object.keys(golden))("the %s tokenizer", (name) => {
  it("gives Hugging Face's ids for every text", async () => {
    const tokenizer = await loadTokenizer(folderOf(name));
    for (const { text, ids } of golden[name])
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    expect(golden[name].length).toBeGreaterThan(40);
  });

  it("gives Hugging Face's text for the ids, with and without special tokens", async () => {
    const tokenizer = await loadTokenizer(folderOf(name));
    for (const { ids, decoded, decodedWithSpecials } of golden[name]) {
      expect(tokenizer.decode(ids)).toBe(decoded);
      expect(tokenizer.decode(ids, { special: true })).toBe(decodedWithSpecials);
    }
  });
});

describe("a tokenizer's BOS", () => {
  const cases = JSON.parse(readFileSync(join(GOLDEN, "bos.json"), "utf8")) as {
    template: boolean;
    addBosToken: boolean | null;
    class: string;
    bos: number | null;
  }[];

  it.each(cases)(
    "is what transformers puts in front: template $template, add_bos_token $addBosToken, $class",
    async (wanted) => {
      const folder = await temporaryFolder();
      const definition = JSON.parse(
        await readFile(join(GOLDEN, "metaspace-normalizer/tokenizer.json"), "utf8"),
      ) as Record<string, unknown>;
      if (!wanted.template) definition["post_processor"] = null;
      await writeFile(join(folder, "tokenizer.json"), JSON.stringify(definition));
      const config = {
        bos_token: "<s>",
        eos_token: { content: "</s>" },
        tokenizer_class: wanted.class,
        ...(wanted.addBosToken === null ? {} : { add_bos_token: wanted.addBosToken }),
      };
      await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify(config));
      const tokenizer = await loadTokenizer(folder);
      expect(tokenizer.bos).toBe(wanted.bos);
      expect(tokenizer.eos).toBe(2);
    },
  );

  it("is found behind a sequence of post-processors", async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, "byte-level"));
    expect([tokenizer.bos, tokenizer.eos]).toEqual([0, 1]);
  });

  it("stays out of what encode gives", async () => {
    const tokenizer = await loadTokenizer(DEMO);
    expect([tokenizer.bos, tokenizer.eos]).toEqual([1, 2]);
    expect(tokenizer.encode("Pip was")).not.toContain(1);
    expect(tokenizer.encode("")).toEqual([]);
  });
});

describe("a long text", () => {
  const SECONDS = 30;
  it.each([
    ["words", "The river rose in the night. "],
    ["one letter", "a"],
    ["another script", "東京は日本の首都です。"],
  ])(
    "takes a Llama-2 style tokenizer, which cuts it nowhere beforehand, no more than its length: %s",
    async (_kind, text) => {
      const tokenizer = await loadTokenizer(join(GOLDEN, "metaspace-normalizer"));
      const begin = performance.now();
      const long = tokenizer.encode(text.repeat(1_000_000 / text.length));
      expect((performance.now() - begin) / 1000).toBeLessThan(SECONDS);
      expect(tokenizer.decode(long).length).toBeGreaterThan(999_000 - text.length);
    },
  );

  it("is cut where no token spans the cut: its tokens are those of its parts joined without one", async () => {
    const { definition } = (await readTokenizerFiles(join(GOLDEN, "metaspace-normalizer")))!;
    const text = golden["metaspace-normalizer"].map((each) => each.text).join("");
    // a byte token in a merge forbids every cut
    const model = definition["model"] as { vocab: Record<string, number>; merges: string[][] };
    const [byte, other] = ["<0x00>", "<0x01>"];
    const uncut = {
      ...model,
      vocab: { ...model.vocab, [byte + other]: Object.keys(model.vocab).length },
      merges: [...model.merges, [byte, other]],
    };
    const files = { config: {}, specials: {} };
    const [cut, whole] = [definition, { ...definition, model: uncut }].map((each) =>
      tokenizerOf({ ...files, definition: each }).encode(text),
    );
    expect(cut).toEqual(whole);
    expect(cut.length).toBeGreaterThan(1000);
  });
});

describe("a token as people read it", () => {
  it("keeps its leading space, and shows line breaks and lone bytes as marks", async () => {
    const bytes = await loadTokenizer(DEMO);
    expect(bytes.tokenText(bytes.encode(" was")[0])).toBe(" was");
    expect(bytes.tokenText(bytes.encode("\n")[0])).toBe("\\n");
    expect(bytes.tokenText(bytes.encode("é")[0])).toBe("Ã");
    expect(bytes.tokenText(1)).toBe("<s>");
    const metaspace = await loadTokenizer(join(GOLDEN, "metaspace-normalizer"));
    expect(metaspace.tokenText(metaspace.encode("was")[0])).toMatch(/^ w/);
    expect(metaspace.tokenText(3)).toMatch(/^(\\u0000|<0x00>)$/);
  });

  it("is the number for an id past the tokenizer's vocabulary, which decoding leaves out", async () => {
    const tokenizer = await loadTokenizer(DEMO);
    expect(tokenizer.tokenText(99_999)).toBe("<99999>");
    expect(tokenizer.decode([99_999])).toBe("");
    expect(tokenizer.decode([99_999, ...tokenizer.encode("Pip was"), 1])).toBe("Pip was");
  });
});

describe("loadTokenizer", () => {
  it("works without tokenizer_config.json", async () => {
    const folder = await temporaryFolder();
    await copyFile(join(DEMO, "tokenizer.json"), join(folder, "tokenizer.json"));
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.bos).toBe(1);
    expect(tokenizer.eos).toBeNull();
  });

  it("says that there is no tokenizer", async () => {
    const folder = await temporaryFolder();
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "tokenizer/missing" });
    await writeFile(join(folder, "vocab.json"), "{}");
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "tokenizer/missing" });
    await mkdir(join(folder, "tokenizer.json"));
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "tokenizer/missing" });
  });

  it.each([
    ["not JSON", "{", "tokenizer/bad-file"],
    ["a list", "[]", "tokenizer/bad-file"],
    ["empty", "", "tokenizer/bad-file"],
    ["an object without a model", "{}", "tokenizer/unsupported"],
    [
      "a model of an unknown kind",
      '{"model":{"type":"Magic","vocab":{}},"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null}',
      "tokenizer/unsupported",
    ],
    [
      "a vocabulary that is a number",
      '{"model":{"type":"BPE","vocab":1,"merges":1},"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null}',
      "tokenizer/unsupported",
    ],
  ])("refuses a tokenizer.json that is %s", async (_fact, content, code) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "tokenizer.json"), content);
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code });
  });
});
