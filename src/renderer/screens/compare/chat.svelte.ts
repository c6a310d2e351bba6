import type { GenerateReport, WrittenText } from "#shared/comparison.ts";
import type { Recipe } from "#shared/recipe.ts";
import { JobTask } from "#renderer/state/jobTask.svelte.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";

/** One message and what was answered to it: the original first, then the variants. */
export interface Turn {
  readonly prompt: string;
  readonly answers: readonly WrittenText[];
  /** What the original read; each answer has its own from the second turn on. */
  readonly rendered: string;
}

/** How a message is asked, beside what was said before. */
export interface ChatSettings {
  readonly template: string;
  readonly system: string;
  readonly tokens: number;
  /** Where SmoothQuant's scales were chosen; null where no variant has any. */
  readonly calibration: string | null;
}

/** A conversation with the original and its variants side by side, each of which goes on from its own answers. */
export class Chat {
  readonly task: JobTask<"generate">;
  /** Turns that are over, also those that were stopped. */
  turns: readonly Turn[] = $state.raw([]);
  /** The message that is being answered; null = none. */
  asked: string | null = $state(null);
  /** What is being written, and what the model is told first. */
  message = $state("");
  system = $state("");
  readonly #studio: Studio;
  /** What was answered so far to the message at hand. */
  readonly live: Turn | null = $derived.by(() => {
    const { generated } = this.#studio;
    if (this.asked === null) return null;
    return generated !== null && generated.job === this.task.id
      ? turnOf(this.asked, generated.report)
      : { prompt: this.asked, answers: [], rendered: "" };
  });
  readonly shown: readonly Turn[] = $derived.by(() => [...this.turns, ...(this.live ? [this.live] : [])]);

  constructor(studio: Studio) {
    this.#studio = studio;
    this.task = new JobTask(studio, "generate");
  }

  /** Asks all of them; what they had written when it was stopped stays. A message that fails leaves no turn. */
  async send(prompt: string, recipes: readonly Recipe[], settings: ChatSettings): Promise<boolean> {
    const { host, model } = this.#studio;
    if (model === null || prompt.trim() === "" || this.task.busy) return false;
    const { template, system, tokens, calibration } = settings;
    const earlier = this.turns;
    this.asked = prompt;
    this.task.report = null;
    await this.task.run(() =>
      host.call("job:generate", {
        model: model.path,
        prompt,
        recipes: [...recipes],
        tokens,
        template,
        ...(system.trim() === "" ? {} : { system }),
        ...(calibration === null ? {} : { calibration }),
        turns: earlier.map((turn) => ({
          prompt: turn.prompt,
          answers: turn.answers.map(({ output }) => output.text),
        })),
      }),
    );
    const { report } = this.task;
    if (report !== null) this.turns = [...earlier, turnOf(prompt, report)];
    this.asked = null;
    return report !== null;
  }

  /** Takes a turn and all behind it out, to be asked again. @returns its message */
  takeBack(index: number): string {
    const prompt = this.turns[index]?.prompt ?? "";
    this.turns = this.turns.slice(0, index);
    return prompt;
  }

  clear(): void {
    this.turns = [];
    this.task.error = null;
  }
}

function turnOf(prompt: string, { outputs, rendered }: GenerateReport): Turn {
  return { prompt, answers: outputs, rendered };
}
