import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTaskFile } from "./readTaskFile.ts";
import { readTaskFiles } from "./readTaskFiles.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keystone-tasks-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}
const piqa = { goal: "Open a jar", sol1: "turn", sol2: "sing", label: 0, more: "ignored" };
const lines = (...rows: unknown[]): string => rows.map((row) => JSON.stringify(row)).join("\n");

describe("a file of JSON", () => {
  it("may be lines, with a byte order mark, blank lines and Windows' line ends", async () => {
    const path = await write("piqa.jsonl", `\ufeff${lines(piqa)}\r\n\r\n${lines(piqa)}`);
    const file = await readTaskFile(path);
    expect(file).toMatchObject({ name: "piqa", files: ["piqa.jsonl"], dataset: "piqa", skipped: [] });
    expect(file.limited).toBe(false);
    expect(file.items.map(({ line }) => line)).toEqual([1, 3]);
    expect(file.items[0].requests[1]).toEqual({
      context: "Question: Open a jar\nAnswer:",
      continuation: " sing",
    });
  });

  it("may be an array, whatever its name", async () => {
    const file = await readTaskFile(await write("piqa.json", ` [${JSON.stringify(piqa)}, {"label": 1}]`));
    expect(file.items).toHaveLength(1);
    expect(file.skipped.map(({ file: name, line }) => `${name} ${line}`)).toEqual(["piqa.json 2"]);
  });

  it("says which lines are no JSON or no UTF-8", async () => {
    const bad = Buffer.concat([Buffer.from(`${lines(piqa)}\n{"goal"\n`), Buffer.from([0x22, 0xff, 0x22])]);
    const { skipped } = await readTaskFile(await write("t.jsonl", bad));
    expect(skipped.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
      "2 is not valid JSON",
      "3 is not valid UTF-8",
    ]);
  });

  it.each([
    ["that is not there", null, "tasks/unreadable", /cannot be read/],
    ["without a row", "\n\n", "tasks/no-items", /t holds no task: it is empty/],
    [
      "with other columns",
      lines({ q: "?", a: "!" }),
      "tasks/unknown-columns",
      /line 1 has the columns "q", "a"/,
    ],
    ["whose array does not end", '[{"goal": ', "tasks/unreadable", /begins like a JSON array but is none/],
  ])("%s is refused", async (_what, content, code, sentence) => {
    const path = content === null ? join(folder, "t.jsonl") : await write("t.jsonl", content);
    const refusal = expect(readTaskFile(path)).rejects;
    await refusal.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
  });

  it("with a line that does not end is refused before it fills the memory", async () => {
    const path = await write("t.jsonl", `{"text": "${"a".repeat(17 * 2 ** 20)}`);
    await expect(readTaskFile(path)).rejects.toThrow(/a line of .* bytes; at most 16,777,216/);
  });

  it("is read no further than the limit", async () => {
    const path = await write("t.jsonl", lines(piqa, piqa, "not looked at"));
    expect(await readTaskFile(path, { limit: 2 })).toMatchObject({ skipped: [], limited: true });
  });

  it("may be said to be of a dataset, and is refused where it is not", async () => {
    const path = await write("t.jsonl", lines(piqa));
    await expect(readTaskFile(path, { dataset: "arc" })).rejects.toThrow(/not those of the dataset arc/);
  });
});

describe("a CSV file", () => {
  const MMLU = '"What is 7 + 5, said ""twice""?",10,12,"1,200",7,B\nWhich?,a,b,c,d,D\n';

  it("of MMLU as its authors publish it is read, its name being the subject", async () => {
    const file = await readTaskFile(await write("elementary_mathematics_test.csv", MMLU));
    expect(file).toMatchObject({ dataset: "mmlu", skipped: [] });
    expect(file.items.map(({ gold }) => gold)).toEqual([1, 3]);
    expect(file.items[0].requests[0]).toEqual({
      context:
        "The following are multiple choice questions (with answers) about elementary mathematics.\n\n" +
        'What is 7 + 5, said "twice"?\nA. 10\nB. 12\nC. 1,200\nD. 7\nAnswer:',
      continuation: " A",
    });
  });

  it("may name its columns, MMLU's and others'", async () => {
    const mmlu = await readTaskFile(await write("a.csv", `question,A,B,C,D,answer\r\n${MMLU}`));
    expect(mmlu.items.map(({ gold, line }) => [gold, line])).toEqual([
      [1, 2],
      [3, 3],
    ]);
    const csv = 'goal,sol1,sol2,label\n"Open, a jar",turn,sing,1\n\n';
    expect((await readTaskFile(await write("piqa.csv", csv))).items).toMatchObject([
      { gold: 1, requests: [{ context: "Question: Open, a jar\nAnswer:" }, {}] },
    ]);
  });

  it("says which records have other columns, and is refused where quotes do not end or no dataset has its columns", async () => {
    const { skipped } = await readTaskFile(await write("t.csv", `${MMLU}only,two\n`));
    expect(skipped).toEqual([{ file: "t.csv", line: 3, reason: "has 2 fields where there are 6 columns" }]);
    await expect(readTaskFile(await write("t.csv", 'a,b\n"c'))).rejects.toMatchObject({
      code: "tasks/bad-csv",
    });
    await expect(readTaskFile(await write("t.csv", "q,a\n1,2\n"))).rejects.toThrow(
      /holds no task: it has the columns "q", "a"/,
    );
  });
});

describe("a folder", () => {
  const row = (goal: string, label = 0) => lines({ ...piqa, goal, label });
  const goals = async (options = {}): Promise<string[]> => {
    const { items } = await readTaskFile(folder, options);
    return items.map(({ requests }) => requests[0].context.split("\n")[0]);
  };

  it("is one task; the split that lm-eval scores is taken, its files in order", async () => {
    await write("data/train-00000-of-00001.jsonl", row("train"));
    await write("data/validation-00001-of-00002.jsonl", row("second"));
    await write("data/validation-00000-of-00002.jsonl", row("first"));
    await write("data/test-00000-of-00001.jsonl", row("test", -1));
    await write("data/README.md", "not a task");
    expect(await goals()).toEqual(["Question: first", "Question: second"]);
    expect(await readTaskFile(folder)).toMatchObject({
      name: expect.stringMatching(/ \(validation\)$/) as string,
      files: ["validation-00000-of-00002.jsonl", "validation-00001-of-00002.jsonl"],
    });
  });

  it("gives ARC's test split, and another where there is none", async () => {
    const arc = { question: "?", choices: { text: ["a", "b"], label: ["1", "2"] }, answerKey: "2" };
    await write("arc_easy_test.jsonl", lines(arc));
    await write("arc_easy_dev.jsonl", lines(arc, arc));
    expect((await readTaskFile(folder)).items).toHaveLength(1);
    await rm(join(folder, "arc_easy_test.jsonl"));
    expect((await readTaskFile(folder)).items).toHaveLength(2);
  });

  it("of several task files is as many tasks, each of its own split and limit", async () => {
    await write("piqa_train.jsonl", row("train"));
    await write("piqa_valid.jsonl", lines({ ...piqa, goal: "one" }, { ...piqa, goal: "two" }));
    await write("words.jsonl", lines({ context: "a b", target: " c" }));
    await write("dataset_info.json", "{}");
    const tasks = await readTaskFiles([folder], { limit: 1 });
    expect(tasks.map(({ name, files, items }) => [name, files, items.length])).toEqual([
      ["piqa (validation)", ["piqa_valid.jsonl"], 1],
      ["words", ["words.jsonl"], 1],
    ]);
  });

  it("without a task file is refused, with the folders in it", async () => {
    await write("anatomy/test.jsonl", row("x"));
    await expect(readTaskFile(folder)).rejects.toThrow(/holds no task file .* but the folders anatomy/);
  });

  it("says in which of its files a row was left out", async () => {
    await write("test-00000-of-00002.jsonl", row("a"));
    await write("test-00001-of-00002.jsonl", row("b", 7));
    expect((await readTaskFile(folder)).skipped).toEqual([
      {
        file: "test-00001-of-00002.jsonl",
        line: 1,
        reason: "has the right choice 7, but its 2 choices are 0 to 1",
      },
    ]);
  });
});
