import { z } from "zod";
import {
  cacheType,
  FIT_MACHINES,
  fitRuntime,
  memoryKind,
  type CacheType,
  type FitMachine,
  type FitRuntime,
} from "#shared/fit.ts";

const KEY = "keystone.fit";
const GIB = 2 ** 30;
/** Machine of the person's own: how much memory, and whose. */
export const OWN = "own";

const kept = z.object({
  machine: z.string(),
  ownGib: z.number().positive().max(100_000),
  ownKind: memoryKind,
  /** Null = as many as the model knows, up to 8,192. */
  context: z.number().int().positive().nullable(),
  cache: cacheType,
  runtime: fitRuntime,
});
export type FitChoice = z.infer<typeof kept>;

const FIRST: FitChoice = {
  machine: "gpu-8",
  ownGib: 8,
  ownKind: "gpu",
  context: null,
  cache: "f16",
  runtime: "llama.cpp",
};
const USUAL_CONTEXT = 8192;

/** The machine and the use that "will it fit" is asked for; kept between starts, the same on every screen. */
export class FitSettings {
  choice: FitChoice = $state.raw(read());

  change(values: Partial<FitChoice>): void {
    this.choice = { ...this.choice, ...values };
    localStorage.setItem(KEY, JSON.stringify(this.choice));
  }

  get machine(): FitMachine {
    const { machine, ownGib, ownKind } = this.choice;
    return FIT_MACHINES.find(({ id }) => id === machine) ?? { bytes: ownGib * GIB, kind: ownKind };
  }

  get label(): string {
    const { machine, ownGib, ownKind } = this.choice;
    const known = FIT_MACHINES.find(({ id }) => id === machine);
    return known?.label ?? `${ownKind === "gpu" ? "GPU" : "RAM"}, ${ownGib} GiB`;
  }

  /** @param known positions that the model knows; 0 = it does not say */
  contextFor(known: number): number {
    return this.choice.context ?? Math.min(USUAL_CONTEXT, known || USUAL_CONTEXT);
  }

  asked(known: number): { machine: FitMachine; context: number; cache: CacheType; runtime: FitRuntime } {
    const { cache, runtime } = this.choice;
    return { machine: this.machine, context: this.contextFor(known), cache, runtime };
  }
}

function read(): FitChoice {
  try {
    const found = kept.safeParse(JSON.parse(localStorage.getItem(KEY) ?? "null"));
    return found.success ? found.data : FIRST;
  } catch {
    return FIRST;
  }
}
