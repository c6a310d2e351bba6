import { newDraft, same, toPlan } from "./draft.ts";

const KEY = "keystone.draft.";
const REPLACED_KEY = "keystone.replacedDraft.";

/** What the wizard of a model held last, in this tab; null = nothing, or nothing that can be read. */
export function keptPlan(model: string): unknown {
  return read(KEY + model);
}

/** Keeps what the wizard of a model holds. */
export function keepPlan(model: string, plan: unknown): void {
  sessionStorage.setItem(KEY + model, JSON.stringify(plan));
}

/** Puts a plan that another screen made into the wizard of a model; what the wizard held is set aside. */
export function proposePlan(model: string, plan: unknown): void {
  const held = keptPlan(model);
  if (isWork(held, plan)) sessionStorage.setItem(REPLACED_KEY + model, JSON.stringify(held));
  keepPlan(model, plan);
}

/** The plan that a proposed one replaced; null = none. It is told once. */
export function takeReplaced(model: string): unknown {
  const replaced = read(REPLACED_KEY + model);
  sessionStorage.removeItem(REPLACED_KEY + model);
  return replaced;
}

/** Whether a plan is worth being taken back after another took its place: neither the same nor what every wizard starts from. */
export function isWork(held: unknown, plan: unknown): boolean {
  return held !== null && !same(held, plan) && !same(held, toPlan(newDraft()));
}

function read(key: string): unknown {
  const kept = sessionStorage.getItem(key);
  if (kept === null) return null;
  try {
    return JSON.parse(kept) as unknown;
  } catch {
    sessionStorage.removeItem(key);
    return null;
  }
}
