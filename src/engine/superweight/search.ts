import type { DetectOptions, DetectPass, DetectPreview } from "#shared/detection.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { LayerReader } from "../evaluate/layerReader.ts";
import type { Meter } from "../evaluate/meter.ts";
import type { Engine, Watch } from "../evaluate/types.ts";
import type { EffectText } from "./effects.ts";
import type { OtherPlace } from "./otherWeights.ts";
import type { PromptForm } from "./promptForms.ts";
import type { PromptPass } from "./promptPass.ts";

export interface DetectRequest extends Engine, Watch {
  readonly tokenizer: Tokenizer;
  readonly options: DetectOptions;
  /** What effects are measured on; needed where the options ask for them. */
  readonly text?: EffectText;
  readonly onPass?: ((pass: DetectPass) => void) | undefined;
  readonly onPreview?: ((preview: DetectPreview) => void) | undefined;
}

/** What a detection carries from step to step. */
export interface Search {
  readonly request: DetectRequest;
  readonly forms: readonly PromptForm[];
  readonly reader: LayerReader;
  readonly meter: Meter;
  readonly largest: OtherPlace[];
  readonly passes: PromptPass[];
  readonly open: string[];
}

/** Tokens of all forms of the prompt. */
export function tokensOf(forms: readonly PromptForm[]): number {
  return forms.reduce((n, { ids }) => n + ids.length, 0);
}
