const KEY = "keystone.draft.";

/** What the wizard of a model held last, in this tab; null = nothing, or nothing that can be read. */
export function keptPlan(model: string): unknown {
  const kept = sessionStorage.getItem(KEY + model);
  if (kept === null) return null;
  try {
    return JSON.parse(kept) as unknown;
  } catch {
    sessionStorage.removeItem(KEY + model);
    return null;
  }
}

/** Puts a plan into the wizard of a model, for the next time it is opened. */
export function keepPlan(model: string, plan: unknown): void {
  sessionStorage.setItem(KEY + model, JSON.stringify(plan));
}
