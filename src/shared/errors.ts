/** What crosses a boundary when something goes wrong: plain data, so that it survives a worker, IPC and JSON. */
export interface KeystoneErrorData {
  /** Stable identifier, `area/what`, e.g. `safetensors/past-end`. */
  code: string;
  /** One sentence: what is wrong, where, and which value was found. */
  message: string;
  /** One sentence: what the person can do next. */
  next: string;
  /** The values named in the sentence, for programs. */
  details: Record<string, string | number | boolean | null>;
}

/** Whose mistake it is: `usage` ends the command line with exit code 2, everything else with 1. */
export type ErrorKind = "usage" | "failure";

/** Every error that Keystone raises on purpose. It says what is wrong, where, and what to do next. */
export class KeystoneError extends Error {
  override readonly name = "KeystoneError";
  readonly code: string;
  readonly next: string;
  readonly details: KeystoneErrorData["details"];

  constructor(
    code: string,
    message: string,
    next: string,
    details: KeystoneErrorData["details"] = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.next = next;
    this.details = details;
  }

  /** `usage/…`, `recipe/…` and `plan/…` are mistakes in what was asked for; the rest are failures. */
  get kind(): ErrorKind {
    return /^(usage|recipe|plan)\//.test(this.code) ? "usage" : "failure";
  }

  toData(): KeystoneErrorData {
    return { code: this.code, message: this.message, next: this.next, details: this.details };
  }

  static fromData(data: KeystoneErrorData): KeystoneError {
    return new KeystoneError(data.code, data.message, data.next, data.details);
  }
}

const CANCELLED = "job/cancelled";

/** The error a cancelled job ends with. */
export function cancelledError(): KeystoneError {
  return new KeystoneError(CANCELLED, "The job was cancelled.", "Start it again when you want it.");
}

/** Whether what was thrown is the end of a cancelled job. */
export function isCancellation(thrown: unknown): boolean {
  return toErrorData(thrown).code === CANCELLED;
}

/** Turns anything thrown into error data; what Keystone did not raise itself becomes `internal/unexpected`. */
export function toErrorData(thrown: unknown): KeystoneErrorData {
  if (thrown instanceof KeystoneError) return thrown.toData();
  const carried = carriedData(thrown);
  if (carried) return carried;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: "internal/unexpected",
    message: message || "An unexpected error without a message.",
    next: "Try again; if it stays, report it with the steps that led here.",
    details: {},
  };
}

/** A KeystoneError that lost its class on the way through structured clone keeps its fields; read them back. */
function carriedData(thrown: unknown): KeystoneErrorData | null {
  if (typeof thrown !== "object" || thrown === null) return null;
  const { code, message, next, details } = thrown as Record<string, unknown>;
  if (typeof code !== "string" || typeof message !== "string" || typeof next !== "string") return null;
  return { code, message, next, details: (details ?? {}) as KeystoneErrorData["details"] };
}
