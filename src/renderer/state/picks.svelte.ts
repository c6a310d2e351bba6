import { z } from "zod";
import { recipe, type Recipe } from "#shared/recipe.ts";

/** A variant that was picked to be compared or exported. */
export interface Pick {
  /** The recipe's id. */
  id: string;
  recipe: Recipe;
  label: string;
  /** The run it was scored in; null where it comes from elsewhere. */
  run: string | null;
}

export const MOST_PICKS = 4;
const LETTERS = "ABCD";

const KEPT = "keystone.picks.";
const NOTHING: readonly (Pick | null)[] = [null, null, null, null];

/**
 * Up to four picked variants of one run, A to D. A letter stays with its variant until it is let go; what was picked in
 * a run is there again when the run is opened again.
 */
export class Picks {
  /** The run whose picks these are; null = none was opened. */
  run: string | null = $state(null);
  /** Four places, A first; null = free. */
  places: readonly (Pick | null)[] = $state.raw(NOTHING);
  readonly all: readonly Pick[] = $derived(this.places.filter((pick) => pick !== null));

  letterOf(id: string): string | null {
    const place = this.places.findIndex((pick) => pick?.id === id);
    return place < 0 ? null : (LETTERS[place] ?? null);
  }

  at(letter: string): Pick | null {
    return this.places[LETTERS.indexOf(letter)] ?? null;
  }

  /** Picks it, or lets it go. Returns false where all four places are taken. */
  toggle(pick: Pick): boolean {
    const at = this.places.findIndex((other) => other?.id === pick.id);
    const free = this.places.indexOf(null);
    if (at < 0 && free < 0) return false;
    this.places = this.places.map((other, i) =>
      i === (at < 0 ? free : at) ? (at < 0 ? pick : null) : other,
    );
    this.#keep();
    return true;
  }

  /** Takes up the picks of a run. */
  open(run: string): void {
    if (this.run === run) return;
    this.run = run;
    this.places = readKept(localStorage.getItem(KEPT + run));
  }

  #keep(): void {
    if (this.run !== null) localStorage.setItem(KEPT + this.run, JSON.stringify(this.places));
  }

  /** Lets go of the run; its picks stay kept. */
  clear(): void {
    this.run = null;
    this.places = NOTHING;
  }
}

const keptPicks = z
  .array(z.object({ id: z.string(), recipe, label: z.string(), run: z.string().nullable() }).nullable())
  .length(MOST_PICKS);

/** Reads what was kept; anything else counts as nothing picked. */
function readKept(text: string | null): readonly (Pick | null)[] {
  if (text === null) return NOTHING;
  try {
    const read = keptPicks.safeParse(JSON.parse(text));
    return read.success ? read.data : NOTHING;
  } catch {
    return NOTHING;
  }
}
