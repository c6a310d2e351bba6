import type { Recipe } from "#shared/recipe.ts";

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

/** Up to four picked variants of the open model, A to D. A letter stays with its variant until it is let go. */
export class Picks {
  /** Four places, A first; null = free. */
  places: readonly (Pick | null)[] = $state.raw([null, null, null, null]);
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
    this.places = this.places.map((other, i) => (i === (at < 0 ? free : at) ? (at < 0 ? pick : null) : other));
    return true;
  }

  clear(): void {
    this.places = this.places.map(() => null);
  }
}
