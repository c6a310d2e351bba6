import type { MethodDescriptor } from "./descriptor.ts";

export const rtn: MethodDescriptor = { title: "round to nearest", label: null };
