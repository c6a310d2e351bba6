import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "..", "resources", "demo-model");

/** Where the demo model's parts are. */
export const DEMO = {
  folder,
  model: join(folder, "model"),
  text: join(folder, "eval.jsonl"),
  plan: join(folder, "plan.json"),
  golden: join(folder, "golden.json"),
  tasksChoice: join(folder, "tasks-choice.jsonl"),
  tasksLastWord: join(folder, "tasks-last-word.jsonl"),
  recipe: (name: string): string => join(folder, "recipes", `${name}.json`),
};
