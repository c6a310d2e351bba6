import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { KeystoneError } from "#shared/errors.ts";
import { f32, safetensorsBytes } from "../support/safetensorsBytes.ts";
import { temporaryFolder, writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";

const INDEX = "model.safetensors.index.json";
const FIRST = "model-00001-of-00003.safetensors";

/** Changes a valid checkpoint (one file) or, where the folder says so, a valid one of three shards. */
type Damage = (folder: string) => Promise<unknown>;

async function refusal(damage: Damage, shards: number): Promise<KeystoneError> {
  const folder = await writeSyntheticCheckpoint({ shards });
  await damage(folder);
  const outcome: unknown = await openCheckpoint(folder).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(KeystoneError);
  return outcome as KeystoneError;
}

const write =
  (file: string, content: string | Uint8Array): Damage =>
  (folder) =>
    writeFile(join(folder, file), content);
const weights = (bytes: Uint8Array) => write("model.safetensors", bytes);
const weightMap = (map: unknown) => write(INDEX, JSON.stringify({ weight_map: map }));
const header = (text: string, options: object = {}) =>
  weights(safetensorsBytes({}, { headerText: text, ...options }));
const entry = (fields: object, data = new Uint8Array(4)) =>
  weights(
    safetensorsBytes(
      {},
      {
        headerText: JSON.stringify({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4], ...fields } }),
        trailing: data,
      },
    ),
  );

const SINGLE: [fact: string, damage: Damage, code: string, sentence: RegExp][] = [
  [
    "a folder that is not there",
    (folder) => rm(folder, { recursive: true }),
    "checkpoint/no-such-folder",
    /does not exist/,
  ],
  [
    "a folder without config.json",
    (folder) => rm(join(folder, "config.json")),
    "checkpoint/missing-file",
    /config\.json/,
  ],
  ["an empty config.json", write("config.json", ""), "checkpoint/bad-config", /is empty/],
  [
    "a config.json cut in the middle",
    (folder) => truncate(join(folder, "config.json"), 40),
    "checkpoint/bad-config",
    /not valid JSON/,
  ],
  ["a config.json that is a list", write("config.json", "[]"), "checkpoint/bad-config", /not a JSON object/],
  [
    "a config.json in UTF-16",
    write("config.json", Buffer.from("\ufeff{}", "utf16le")),
    "checkpoint/bad-config",
    /not valid JSON/,
  ],
  [
    "a folder without weights",
    (folder) => rm(join(folder, "model.safetensors")),
    "checkpoint/no-weights",
    /no safetensors file/,
  ],
  [
    "pickled weights alone",
    async (folder) => {
      await rm(join(folder, "model.safetensors"));
      await writeFile(join(folder, "pytorch_model.bin"), "x");
    },
    "checkpoint/no-weights",
    /pytorch_model\.bin", a pickle, which runs code when it is opened/,
  ],
  ["a weight file of no bytes", weights(new Uint8Array()), "safetensors/too-short", /holds 0 bytes/],
  ["a weight file of seven bytes", weights(new Uint8Array(7)), "safetensors/too-short", /holds 7 bytes/],
  [
    "a folder in place of the weight file",
    async (folder) => {
      await rm(join(folder, "model.safetensors"));
      await mkdir(join(folder, "model.safetensors"));
    },
    "checkpoint/not-a-file",
    /is a folder/,
  ],
  [
    "a header length of 2^60",
    header("{}", { headerLength: 2n ** 60n }),
    "safetensors/header-too-long",
    /1152921504606846976 bytes/,
  ],
  [
    "a header length of 2^64 − 1",
    header("{}", { headerLength: 2n ** 64n - 1n }),
    "safetensors/header-too-long",
    /at most 100000000/,
  ],
  [
    "a header one byte past the file's end",
    header("{}", { headerLength: 3n }),
    "safetensors/header-past-end",
    /only 2 bytes follow/,
  ],
  ["a header of no bytes", header(""), "safetensors/not-an-object", /is empty/],
  [
    "a file cut inside its header",
    (folder) => truncate(join(folder, "model.safetensors"), 100),
    "safetensors/header-past-end",
    /only 92 bytes/,
  ],
  [
    "a file cut inside its data",
    (folder) => truncate(join(folder, "model.safetensors"), 9000),
    "safetensors/past-end",
    /truncated|ends at data byte/,
  ],
  ["a header that begins with a space", header(' {"a":1}'), "safetensors/not-an-object", /begin with "\{"/],
  [
    "a header that begins with a byte order mark",
    header("\ufeff{}"),
    "safetensors/not-an-object",
    /begin with "\{"/,
  ],
  ["a header that is not JSON", header("{not json}"), "safetensors/not-json", /not valid JSON/],
  ["a header with bytes after its object", header("{}\0\0"), "safetensors/not-json", /not valid JSON/],
  [
    "a header that is not UTF-8",
    weights(Buffer.concat([Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0), Uint8Array.of(0x7b, 0xff, 0x7d)])),
    "safetensors/not-utf8",
    /UTF-8/,
  ],
  ["two tensors of one name", header('{"a":{},"a":{}}'), "safetensors/duplicate-key", /"a" twice/],
  [
    "two tensors of one name, one spelt with an escape",
    header('{"a":{},"\\u0061":{}}'),
    "safetensors/duplicate-key",
    /"a" twice/,
  ],
  [
    "a key twice in one tensor",
    header('{"a":{"dtype":"F32","dtype":"F32"}}'),
    "safetensors/duplicate-key",
    /"dtype" twice/,
  ],
  ["an unknown dtype", entry({ dtype: "F33" }), "safetensors/unknown-dtype", /"F33"; known are .*BF16/],
  ["a dtype that is a number", entry({ dtype: 32 }), "safetensors/bad-entry", /no dtype/],
  [
    "a dtype named like a property of every object",
    entry({ dtype: "constructor" }),
    "safetensors/unknown-dtype",
    /"constructor"/,
  ],
  ["a tensor without a shape", entry({ shape: undefined }), "safetensors/bad-entry", /no shape/],
  ["a negative dimension", entry({ shape: [-1] }), "safetensors/not-an-integer", /-1/],
  ["a fractional dimension", entry({ shape: [0.5] }), "safetensors/not-an-integer", /0\.5/],
  [
    "a dimension past 2^53",
    header('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}'),
    "safetensors/not-an-integer",
    /9007199254740993/,
  ],
  ["a dimension that is text", entry({ shape: ["1"] }), "safetensors/bad-entry", /no shape of whole numbers/],
  [
    "dimensions whose product wraps around to the right size in 64 bits",
    entry({ shape: [2 ** 31, 2 ** 31, 4] }),
    "safetensors/size-mismatch",
    /needs 73786976294838206464 bytes/,
  ],
  [
    "a shape larger than its bytes",
    entry({ shape: [2] }),
    "safetensors/size-mismatch",
    /needs 8 bytes, but its offsets span 4/,
  ],
  ["three offsets", entry({ data_offsets: [0, 4, 4] }), "safetensors/bad-entry", /two whole numbers/],
  ["an end before its begin", entry({ data_offsets: [4, 0] }), "safetensors/bad-offsets", /after its end/],
  [
    "an odd number of 4-bit values",
    entry({ dtype: "F4", shape: [7] }),
    "safetensors/not-whole-bytes",
    /whole byte/,
  ],
  ["a tensor that is a list", header('{"a":[]}'), "safetensors/bad-entry", /not described by an object/],
  ["a name that is half a surrogate pair", header('{"\\ud800":{}}'), "safetensors/bad-name", /Unicode/],
  [
    "metadata that is not text",
    header('{"__metadata__":{"a":1}}'),
    "safetensors/bad-metadata",
    /__metadata__/,
  ],
  [
    "two tensors that share bytes",
    weights(safetensorsBytes({ a: f32([4], [0, 16]), b: f32([4], [8, 24]) })),
    "safetensors/overlap",
    /"b" begins at data byte 8, inside "a"/,
  ],
  [
    "a hole between two tensors",
    weights(safetensorsBytes({ a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, { trailing: new Uint8Array(4) })),
    "safetensors/hole",
    /data bytes 4 to 8/,
  ],
  [
    "data before the first tensor",
    weights(safetensorsBytes({ a: f32([1], [4, 8]) }, { trailing: new Uint8Array(4) })),
    "safetensors/hole",
    /data bytes 0 to 4/,
  ],
  [
    "data after the last tensor",
    weights(safetensorsBytes({ a: f32([1]) }, { trailing: new Uint8Array(1) })),
    "safetensors/trailing-bytes",
    /holds 5 bytes/,
  ],
  [
    "offsets past the end of the file",
    entry({ shape: [2], data_offsets: [0, 8] }),
    "safetensors/past-end",
    /ends at data byte 8, but the data section holds 4 bytes/,
  ],
  ["no tensor at all", header("{}"), "checkpoint/no-tensors", /no tensor/],
];

const SHARDED: typeof SINGLE = [
  [
    "a shard that is missing",
    (folder) => rm(join(folder, FIRST)),
    "checkpoint/missing-shard",
    /model-00001-of-00003/,
  ],
  [
    "an index that is missing",
    (folder) => rm(join(folder, INDEX)),
    "checkpoint/no-index",
    /3 safetensors files but no model\.safetensors\.index\.json/,
  ],
  ["an index that is not JSON", write(INDEX, "{"), "checkpoint/bad-index", /not valid JSON/],
  ["an index without weight_map", write(INDEX, "{}"), "checkpoint/bad-index", /no weight_map/],
  ["an index that names no tensor", weightMap({}), "checkpoint/bad-index", /no tensor/],
  ["an index whose file is a number", weightMap({ a: 1 }), "checkpoint/bad-index", /no file for tensor "a"/],
  [
    "an index name that climbs out",
    weightMap({ a: "../model.safetensors" }),
    "checkpoint/outside-folder",
    /"\.\.\/model\.safetensors"/,
  ],
  [
    "an index name that climbs out with backslashes",
    weightMap({ a: "..\\model.safetensors" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "an absolute index name",
    weightMap({ a: "/tmp/model.safetensors" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "an index name with a drive",
    weightMap({ a: "C:model.safetensors" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "an index name through a folder",
    weightMap({ a: "link/model.safetensors" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "an index name with a NUL",
    weightMap({ a: "model\0.safetensors" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "an index name of another kind of file",
    weightMap({ a: "config.json" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "an index name that climbs out in a checkpoint of one file",
    weightMap({ "model.norm.weight": "../../model.safetensors" }),
    "checkpoint/outside-folder",
    /plain name/,
  ],
  [
    "a tensor of the model that no shard holds",
    async (folder) => {
      const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as object;
      await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, num_hidden_layers: 3 }));
      await editIndex(folder, (map) => ({ ...map, "model.layers.2.mlp.up_proj.weight": FIRST }));
    },
    "checkpoint/index-mismatch",
    /"model\.layers\.2\.mlp\.up_proj\.weight" into model-00001.*not there/,
  ],
  [
    "a tensor that the index does not name",
    (folder) =>
      editIndex(folder, (map) =>
        Object.fromEntries(Object.entries(map).filter(([name]) => name !== "model.norm.weight")),
      ),
    "checkpoint/index-mismatch",
    /"model\.norm\.weight", which the index does not name/,
  ],
  [
    "a tensor that the index puts into another shard",
    (folder) => editIndex(folder, (map) => ({ ...map, "model.norm.weight": FIRST })),
    "checkpoint/index-mismatch",
    /puts into model-00001/,
  ],
  ["two shards in each other's place", swapShards, "checkpoint/index-mismatch", /holds tensor/],
  ["a shard that is a link to nothing", linkToNothing, "checkpoint/missing-shard", /model-00001/],
];

async function editIndex(
  folder: string,
  edit: (map: Record<string, string>) => Record<string, string>,
): Promise<void> {
  const index = JSON.parse(await readFile(join(folder, INDEX), "utf8")) as {
    weight_map: Record<string, string>;
  };
  await writeFile(join(folder, INDEX), JSON.stringify({ weight_map: edit(index.weight_map) }));
}

async function swapShards(folder: string): Promise<void> {
  const second = join(folder, "model-00002-of-00003.safetensors");
  await rename(join(folder, FIRST), join(folder, "kept"));
  await rename(second, join(folder, FIRST));
  await rename(join(folder, "kept"), second);
}

async function linkToNothing(folder: string): Promise<void> {
  await rm(join(folder, FIRST));
  await symlink("nowhere", join(folder, FIRST));
}

describe("a malformed checkpoint is refused with one clear sentence", () => {
  const cases = [...SINGLE.map((row) => [...row, 1] as const), ...SHARDED.map((row) => [...row, 3] as const)];
  it.each(cases)("%s", async (_fact, damage, code, sentence, shards) => {
    const error = await refusal(damage, shards);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/\.$/);
    expect(error.message).not.toContain("\n");
    expect(error.next).toMatch(/\.$/);
  });

  it("names the snapshots folder when an entry of Hugging Face's cache is chosen", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "snapshots"));
    await expect(openCheckpoint(folder)).rejects.toThrow(/entry of Hugging Face's cache/);
  });

  it("refuses a file in place of the folder", async () => {
    const folder = await writeSyntheticCheckpoint();
    await expect(openCheckpoint(join(folder, "config.json"))).rejects.toMatchObject({
      code: "checkpoint/not-a-folder",
    });
  });
});
