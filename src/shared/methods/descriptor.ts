import type { SchemeName } from "../schemes/index.ts";

/** Everything that is known of a method, which says how weights become a scheme's codes. Its arithmetic is in `engine/quantize/methods`. */
export interface MethodDescriptor {
  readonly title: string;
  /** In labels, after the scheme; null = it goes without saying. */
  readonly label: string | null;
  /** The schemes whose codes it gives; absent = every scheme's. */
  readonly schemes?: readonly SchemeName[];
}
