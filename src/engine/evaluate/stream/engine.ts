import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Forward } from "#engine/forward/forward.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { Progress } from "#shared/contract/job.ts";

/** Asked between batches: throws `cancelledError()`, or waits while the job is paused. */
export interface Control {
  check(): void | Promise<void>;
}

/** What every pass through a model needs. */
export interface Engine {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly forward: Forward;
}

/** A model and what cuts texts for it. */
export interface ReadableModel extends Engine {
  /** Loaded when it is first needed. */
  tokenizer(): Promise<Tokenizer>;
}

export interface Watch {
  readonly control?: Control | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called when a layer is done for every variant of the wave. */
  readonly onLayer?: ((layer: number) => void) | undefined;
}
