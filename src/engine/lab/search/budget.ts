import { figure, plural } from "../run/words.ts";

/** What a share of a budget allows whatever else is left: a choice is between two. */
const LEAST_SHARE = 2;

/** How much a search may try. */
export class Budget {
  readonly #maxTrials: number;
  readonly #maxSeconds: number;
  readonly #begin = performance.now();
  #trials = 0;

  /** null = no bound. */
  constructor(maxTrials: number | null, maxSeconds: number | null) {
    this.#maxTrials = maxTrials ?? Infinity;
    this.#maxSeconds = maxSeconds ?? Infinity;
  }

  spend(): void {
    this.#trials++;
  }

  /** An even share of what is left for one of so many; what it spends, this spends. */
  share(among: number): Pick<Budget, "spend" | "spent"> {
    const trials = Math.max(LEAST_SHARE, Math.ceil((this.#maxTrials - this.#trials) / among));
    const seconds = (this.#maxSeconds - this.#seconds) / among;
    const begin = performance.now();
    let spent = 0;
    const isSpent = (): boolean =>
      spent >= trials || (spent >= LEAST_SHARE && (performance.now() - begin) / 1000 >= seconds);
    const whole = (): string | null => this.spent;
    return {
      spend: () => {
        spent++;
        this.spend();
      },
      get spent() {
        return whole() ?? (isSpent() ? "after its even share" : null);
      },
    };
  }

  get #seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  /** Why nothing more may be tried, as a clause; null while something may. */
  get spent(): string | null {
    if (this.#trials >= this.#maxTrials)
      return `after ${plural(this.#trials, "trial")}, the most that ${this.#trials === 1 ? "was" : "were"} asked for`;
    if (this.#seconds >= this.#maxSeconds)
      return `after ${figure(this.#maxSeconds)} s, the time that was given`;
    return null;
  }
}
