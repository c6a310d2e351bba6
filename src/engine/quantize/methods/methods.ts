import type { MethodName } from "#shared/methods/index.ts";
import type { Method } from "./method.ts";
import { rtn } from "./rtn.ts";

/** Every method by the name that recipes give it. */
export const METHODS: Readonly<Record<MethodName, Method>> = { rtn };
