import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { SavedPlan } from "#shared/contract/contract.ts";
import { KeystoneError } from "#shared/errors.ts";
import { parsePlan } from "#shared/plan.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { presets } from "../models/presets.ts";
import { summarizeModel } from "../context/summarizeModel.ts";

type PlanCall = "plan:list" | "plan:save" | "plan:delete" | "plan:read";

/** A plan file is small; anything larger is another file picked by mistake. */
const MAX_PLAN_BYTES = 16 * 2 ** 20;

/** Plans: those shipped, those saved, and those in files. */
export function planCalls({ access, kept, events }: StudioContext): Answers<PlanCall> {
  return {
    "plan:list": async ({ model }) => {
      const summary = model === undefined ? null : await summarizeModel(access.check(model));
      const saved = kept
        .plans()
        .map(({ id, name, plan }) => ({ id, name, plan, preset: false, description: describe(plan) }));
      return [...presets(summary), ...saved];
    },
    "plan:save": ({ name, plan }) => {
      const saved: SavedPlan = { id: randomUUID(), name, plan, preset: false, description: describe(plan) };
      kept.savePlan(saved);
      events.emit({ type: "plans" });
      return saved;
    },
    "plan:delete": ({ id }) => {
      if (!kept.deletePlan(id)) {
        throw new KeystoneError(
          "plan/unknown",
          `There is no saved plan ${id}.`,
          "Presets cannot be deleted; list the plans to find its id.",
          { id },
        );
      }
      events.emit({ type: "plans" });
      return {};
    },
    "plan:read": async ({ path }) => {
      const plan = await readPlanFile(access.check(path));
      const { name } = parsePlan(plan);
      return { name: name ?? basename(path, extname(path)), plan };
    },
  };
}

/** Says how many variants a plan has. @throws KeystoneError as parsePlan */
function describe(plan: unknown): string {
  const { recipes } = parsePlan(plan);
  return recipes.length === 1 ? "1 variant" : `${recipes.length.toLocaleString("en-US")} variants`;
}

/** @throws KeystoneError plan/unreadable, plan/too-large, plan/not-json */
async function readPlanFile(path: string): Promise<unknown> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new KeystoneError(
      "plan/unreadable",
      `${path} cannot be read.`,
      "Check the path of the plan.",
      { path },
      { cause },
    );
  });
  if (!facts.isFile() || facts.size > MAX_PLAN_BYTES) {
    throw new KeystoneError(
      "plan/too-large",
      `${path} is not a plan: it is ${facts.isFile() ? `${facts.size} bytes long` : "not a file"}.`,
      "Choose a JSON file with a plan.",
      { path },
    );
  }
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeystoneError(
      "plan/not-json",
      `${path} is not valid JSON: ${reason}.`,
      "Correct the file, or save the plan again.",
      { path },
      { cause },
    );
  }
}
