import { isCallName, type Args, type CallName } from "#shared/contract/contract.ts";
import { KeystoneError, toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { Studio } from "./context/studio.ts";

/** What a transport sends back for one message; `id` is null where the message had none to answer to. */
export type Answer = { id: number | null; reply: unknown } | { id: number | null; error: KeystoneErrorData };

/** A request as it should arrive over a transport: `{ id, call, args }`. */
interface Request {
  id: number;
  call: CallName;
  args: unknown;
}

/**
 * Answers one message from a window, whatever it holds: only `{ id, call, args }` with a known call and valid
 * arguments reaches the studio. Never throws: a refusal is an answer with a typed error.
 */
export async function answerMessage(studio: Studio, message: unknown): Promise<Answer> {
  let id: number | null = null;
  try {
    id = readId(message);
    const request = readRequest(message, id);
    // The studio checks the arguments against the contract itself, whoever sends them.
    return { id, reply: await studio.call(request.call, request.args as Args<CallName>) };
  } catch (thrown) {
    return { id, error: toErrorData(thrown) };
  }
}

function readId(message: unknown): number | null {
  if (typeof message !== "object" || message === null || !("id" in message)) return null;
  return Number.isSafeInteger(message.id) ? (message.id as number) : null;
}

function readRequest(message: unknown, id: number | null): Request {
  if (id === null || typeof message !== "object" || message === null || Array.isArray(message)) {
    throw refused("A message must be an object { id, call, args } with a whole number as its id.");
  }
  const extra = Object.keys(message).filter((key) => !["id", "call", "args"].includes(key));
  if (extra.length > 0) throw refused(`A message may hold id, call and args, not "${extra[0] ?? ""}".`);
  const { call, args } = message as { call?: unknown; args?: unknown };
  if (!isCallName(call)) {
    throw new KeystoneError(
      "usage/unknown-call",
      `There is no call ${typeof call === "string" ? JSON.stringify(call.slice(0, 80)) : `of type ${typeof call}`}.`,
      "Reload the window so that it matches the studio's version.",
    );
  }
  return { id, call, args: args ?? {} };
}

function refused(sentence: string): KeystoneError {
  return new KeystoneError(
    "usage/invalid-message",
    sentence,
    "Reload the window so that it matches the studio's version.",
  );
}
