import { z } from "zod";
import type { SchemeName } from "../schemes/index.ts";
import type { MethodDescriptor } from "./descriptor.ts";
import { TABLE } from "./table.ts";

/** How weights become codes. */
export type MethodName = keyof typeof TABLE;
export const methodName = z.enum(Object.keys(TABLE) as [MethodName, ...MethodName[]]);
export const METHODS: Readonly<Record<MethodName, MethodDescriptor>> = TABLE;

/** Why a method gives no codes of a scheme, in one clause; null where it does. */
export function methodIssue(method: MethodName, scheme: SchemeName): string | null {
  const { schemes } = METHODS[method];
  if (schemes === undefined || schemes.includes(scheme)) return null;
  return `${method} gives codes of ${schemes.join(", ")}, not of ${scheme}`;
}
