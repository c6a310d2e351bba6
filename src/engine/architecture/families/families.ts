import type { Family } from "../description/family.ts";
import { gemma } from "./gemma/gemma.ts";
import { gemma2 } from "./gemma/gemma2.ts";
import { gemma3 } from "./gemma/gemma3.ts";
import { gemma4 } from "./gemma/gemma4.ts";
import { glm4 } from "./glm4.ts";
import { falcon } from "./gpt/falcon.ts";
import { gpt2 } from "./gpt/gpt2.ts";
import { gptNeox } from "./gpt/gptNeox.ts";
import { opt } from "./gpt/opt.ts";
import { granite } from "./granite.ts";
import { llama } from "./llama.ts";
import { ministral3 } from "./ministral3.ts";
import { gptOss } from "./experts/gptOss.ts";
import { mixtral } from "./experts/mixtral.ts";
import { mistral } from "./mistral.ts";
import { olmo } from "./olmo.ts";
import { olmo2, olmo3 } from "./olmo2.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen3Moe } from "./experts/qwen3Moe.ts";
import { smollm3 } from "./smollm3.ts";

/** Every family that Keystone can compute. A new one is a file beside this one, and a line here. */
export const FAMILIES: readonly Family[] = [
  ...[llama, mistral, qwen2, phi3, olmo, qwen3, gemma, gemma2, gemma3, gemma4, olmo2, olmo3],
  ...[smollm3, granite, glm4, ministral3, qwen3Moe, mixtral, gptOss, gpt2, gptNeox, falcon, opt],
];
