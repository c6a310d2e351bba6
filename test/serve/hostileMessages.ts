import { join } from "node:path";
import type { Folders } from "./serving.ts";

/** A message no honest window sends, and the code of the error that must answer it. */
export interface Hostile {
  name: string;
  message: unknown;
  code: RegExp | string;
}

const INVALID = "usage/invalid-message";
const UNKNOWN = "usage/unknown-call";
const ARGUMENTS = "usage/invalid-arguments";
const OUTSIDE = "access/outside";

const RECIPE = { scheme: "affine", bits: 4, granularity: "tensor" };

/** Not a request at all, or one for something that is not there. */
export function malformed(): Hostile[] {
  const shapes: [string, unknown, string][] = [
    ["null", null, INVALID],
    ["a number", 7, INVALID],
    ["a string", "app:info", INVALID],
    ["an array", [1, "app:info", {}], INVALID],
    ["an empty object", {}, INVALID],
    ["no id", { call: "app:info", args: {} }, INVALID],
    ["an id that is text", { id: "1", call: "app:info" }, INVALID],
    ["an id that is a fraction", { id: 1.5, call: "app:info" }, INVALID],
    ["an id past the safe integers", { id: 2 ** 53, call: "app:info" }, INVALID],
    ["an id that is an object", { id: { valueOf: 1 }, call: "app:info" }, INVALID],
    ["an extra key", { id: 1, call: "app:info", args: {}, sender: "main" }, INVALID],
    [
      "a __proto__ of its own",
      JSON.parse('{"id":1,"call":"app:info","args":{},"__proto__":{"admin":true}}'),
      INVALID,
    ],
    ["a constructor key", { id: 1, call: "app:info", constructor: { prototype: {} } }, INVALID],
    ["no call", { id: 1, args: {} }, UNKNOWN],
    ["a call that is null", { id: 1, call: null }, UNKNOWN],
    ["a call that is a number", { id: 1, call: 5 }, UNKNOWN],
    ["a call that is an array with a good name", { id: 1, call: ["app:info"] }, UNKNOWN],
    ["a call that nobody knows", { id: 1, call: "fs:readFile", args: { path: "/etc/passwd" } }, UNKNOWN],
    ["a call named __proto__", { id: 1, call: "__proto__", args: {} }, UNKNOWN],
    ["a call named constructor", { id: 1, call: "constructor", args: {} }, UNKNOWN],
    ["a call named toString", { id: 1, call: "toString" }, UNKNOWN],
    ["a call with other capitals", { id: 1, call: "App:Info" }, UNKNOWN],
    ["a call with a zero byte", { id: 1, call: "app:info\0" }, UNKNOWN],
    ["a call name of a megabyte", { id: 1, call: "x".repeat(1_000_000) }, UNKNOWN],
  ];
  return shapes.map(([name, message, code]) => ({ name, message, code }));
}

/** Known calls with arguments that are not the contract's. */
export function badArguments({ allowed, text }: Folders): Hostile[] {
  const bad: [string, string, unknown, (string | RegExp)?][] = [
    ["arguments that are text", "app:info", "{}"],
    ["arguments that are an array", "app:info", []],
    ["an extra argument", "app:info", { verbose: true }],
    ["an own __proto__ among the arguments", "settings:set", JSON.parse('{"__proto__":{"theme":"dark"}}')],
    ["a path that is a number", "model:open", { path: 1 }],
    ["a path that is an array", "model:open", { path: [allowed] }],
    ["an empty path", "model:open", { path: "" }],
    ["a path of a megabyte", "model:open", { path: `${allowed}/${"x".repeat(1_000_000)}` }],
    ["a setting that is out of range", "settings:set", { workers: 1e9 }],
    ["a setting that does not exist", "settings:set", { nodeIntegration: true }],
    ["a sequence number below zero", "events:since", { seq: -1 }],
    ["a sequence number past every integer", "events:since", { seq: 1e308 }],
    ["a run id that is a number", "run:get", { run: 7 }],
    ["a run id that is SQL", "run:get", { run: "' OR 1=1; DROP TABLE runs; --" }, "run/unknown"],
    ["a run id longer than any", "run:delete", { run: "r".repeat(1000) }],
    ["a job id that is an object", "job:cancel", { job: {} }],
    ["a job nobody started", "job:result", { job: "__proto__" }, "job/unknown"],
    ["a plan id nobody saved", "plan:delete", { id: "toString" }, "plan/unknown"],
    [
      "a recipe with 99 bits",
      "job:evaluate",
      { model: allowed, recipe: { ...RECIPE, bits: 99 }, text, judge: {} },
    ],
    [
      "a recipe with an unknown key",
      "job:evaluate",
      { model: allowed, recipe: { ...RECIPE, shell: "rm" }, text, judge: {} },
    ],
    [
      "a block that is a program",
      "job:evaluate",
      { model: allowed, recipe: { ...RECIPE, granularity: "group:${process.exit()}" }, text, judge: {} },
    ],
    [
      "five recipes to compare",
      "job:compare",
      { model: allowed, recipes: Array<object>(5).fill(RECIPE), text, judge: {} },
    ],
    [
      "a billion tokens to generate",
      "job:generate",
      { model: allowed, recipes: [], prompt: "x", tokens: 1e9 },
    ],
    ["a dialog for a purpose that does not exist", "folder:pick", { purpose: "disk" }],
    ["a dialog where there is none", "folder:pick", { purpose: "model" }, "access/no-dialog"],
    [
      "a plan that multiplies past all bounds",
      "plan:save",
      {
        name: "p",
        plan: { base: RECIPE, grid: { bits: Array(1000).fill(4), granularity: Array(1000).fill("tensor") } },
      },
      "plan/too-large",
    ],
    [
      "a plan with an axis named __proto__",
      "plan:save",
      { name: "p", plan: JSON.parse('{"base":{},"grid":{"__proto__":[1]}}') as unknown },
      /^(plan|recipe)\//,
    ],
    ["a plan nested a thousand deep", "plan:save", { name: "p", plan: nested(1000) }, "plan/invalid"],
  ];
  return bad.map(([name, call, args, code]) => ({
    name,
    message: { id: 1, call, args },
    code: code ?? ARGUMENTS,
  }));
}

/** Paths that lead out of the allowed folder, in every call that takes one. */
export function pathsOutside({ allowed, outside, home, text }: Folders): Hostile[] {
  const secret = join(outside, "secret.txt");
  const request = (out: string): object => ({
    model: allowed,
    request: { recipe: RECIPE, out },
    verify: null,
  });
  const paths: [string, string, unknown, (string | RegExp)?][] = [
    ["a folder outside", "model:open", { path: outside }],
    ["the root", "folder:list", { path: "/" }],
    ["a system file", "plan:read", { path: "/etc/passwd" }],
    ["the parent by ..", "folder:list", { path: `${allowed}/..` }],
    ["far up by many ..", "folder:list", { path: `${allowed}/${"../".repeat(60)}etc` }],
    [".. behind an allowed prefix", "model:open", { path: `${allowed}/sub/../../outside` }],
    ["a sibling that begins with the same letters", "folder:list", { path: `${allowed}-not` }],
    ["a link to a folder outside", "folder:list", { path: `${allowed}/link-to-outside` }],
    ["a path through that link", "model:open", { path: `${allowed}/link-to-outside/deeper` }],
    ["a link to a file outside", "text:describe", { model: allowed, path: `${allowed}/link.txt` }],
    [
      "a link to what is not there yet",
      "export:check",
      { model: allowed, request: { recipe: RECIPE, out: `${allowed}/dangling` } },
      /^(access\/outside|checkpoint\/)/,
    ],
    ["a loop of links", "folder:list", { path: `${allowed}/loop` }, "usage/bad-path"],
    ["a zero byte", "folder:list", { path: `${allowed}\0/../outside` }, "usage/bad-path"],
    ["a UNC path", "folder:list", { path: "\\\\server\\share" }],
    ["a double slash", "folder:list", { path: "//server/share" }],
    ["a file address", "plan:read", { path: `file://${secret}` }],
    ["the home folder of the store", "folder:list", { path: home }],
    ["~", "folder:list", { path: "~/.ssh" }],
    ["a relative path", "plan:read", { path: "package.json" }],
    ["the text of a detection", "job:detect", { model: outside, effectText: text }],
    ["the model of a sweep", "job:sweep", { model: outside, plan: { recipes: [RECIPE] }, text }],
    ["the model of an estimate", "sweep:estimate", { model: outside, plan: {}, text: null }],
    ["the model of an export", "job:export", { ...request(join(allowed, "out")), model: outside }],
    ["the model of a tensor", "tensor:statistics", { path: outside, name: "w" }],
    ["the model of a scan", "model:scan", { path: outside }],
    ["the model of its texts", "text:list", { model: outside }],
    ["a folder to reveal", "folder:reveal", { path: outside }],
  ];
  return paths.map(([name, call, args, code]) => ({
    name,
    message: { id: 1, call, args },
    code: code ?? OUTSIDE,
  }));
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = { base: value };
  return value;
}
