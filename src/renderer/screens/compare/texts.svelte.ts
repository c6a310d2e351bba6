import { JobTask } from "#renderer/state/jobTask.svelte.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";
import { Chat } from "./chat.svelte.ts";

/** What was asked of the original and its variants, and what they wrote: texts after a prompt, and a conversation. */
export class Texts {
  mode: "prompt" | "chat" = $state("prompt");
  prompt = $state("Once upon a time");
  tokens = $state(48);
  /** The template that was chosen here; null until then: the model's default one. */
  template: string | null = $state(null);
  readonly task: JobTask<"generate">;
  readonly chat: Chat;

  /** @param before whose settings it begins with */
  constructor(studio: Studio, before: Texts | null) {
    this.task = new JobTask(studio, "generate");
    this.chat = new Chat(studio);
    if (before) {
      const { mode, prompt, tokens, template } = before;
      Object.assign(this, { mode, prompt, tokens, template });
    }
  }
}
