import type { Family } from "../description/family.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";

/** Every family that Keystone can compute. A new one is a file beside this one, and a line here. */
export const FAMILIES: readonly Family[] = [llama, mistral, qwen2, phi3];
