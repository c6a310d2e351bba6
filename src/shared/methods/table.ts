import type { MethodDescriptor } from "./descriptor.ts";
import { rtn } from "./rtn.ts";

/** Every method by the name that recipes give it. A further one is a file here, and its arithmetic in `engine/quantize/methods`. */
export const TABLE = { rtn } as const satisfies Readonly<Record<string, MethodDescriptor>>;
