import { KeystoneError } from "#shared/errors.ts";
import { calls, type CallName } from "#shared/contract/contract.ts";
import type { NumberedEvent, StudioEvent } from "#shared/contract/events.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { Studio, StudioOptions } from "#studio/context/studio.ts";
import type { Dependencies } from "../../src/cli/session/dependencies.ts";

export type Answers = Partial<
  Record<CallName, (args: unknown, emit: (event: StudioEvent) => void) => unknown>
>;

export interface Fake extends Dependencies {
  asked: { name: CallName; args: unknown }[];
  options: StudioOptions[];
  closed: number;
}

/** A studio that answers from a table. Arguments and replies are checked with the contract, so that a fake cannot drift. */
export function fakeStudio(answers: Answers): Fake {
  const fake: Fake = {
    asked: [],
    options: [],
    closed: 0,
    createStudio: (options) => {
      fake.options.push(options);
      return Promise.resolve(build(answers, fake));
    },
  };
  return fake;
}

function build(answers: Answers, fake: Fake): Studio {
  const listeners = new Set<(event: NumberedEvent) => void>();
  let seq = 0;
  const emit = (event: StudioEvent): void => {
    seq++;
    for (const listener of listeners) listener({ seq, event });
  };
  const studio = {
    home: "/nowhere",
    async call(name: CallName, args: unknown): Promise<unknown> {
      calls[name].args.parse(args);
      fake.asked.push({ name, args });
      const answer = answers[name];
      if (!answer)
        throw new KeystoneError("fake/no-answer", `The fake has no answer to ${name}.`, "Add one.");
      return calls[name].reply.parse(await answer(args, emit));
    },
    on(listener: (event: NumberedEvent) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      fake.closed++;
      return Promise.resolve();
    },
  };
  return studio as Studio;
}

/** A job as `job:list` shows it. */
export function jobView(fields: Partial<JobView>): JobView {
  return {
    id: "job-1",
    kind: "detect",
    title: "A job",
    model: null,
    run: null,
    status: "done",
    progress: null,
    created: "2026-01-01T00:00:00.000Z",
    seconds: 1,
    error: null,
    ...fields,
  };
}
