import type { Io } from "../output/io.ts";
import type { ComputeOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** What a command needs to do its work. */
export interface CommandContext {
  readonly io: Io;
  session(options: ComputeOptions, body: (session: Session) => Promise<void>): Promise<void>;
}
