import type { DetectOptions, DetectPass, DetectPreview, ExpertsReport } from "#shared/detection.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { LayerReader } from "#engine/evaluate/stream/layerReader.ts";
import type { Meter } from "#engine/evaluate/stream/meter.ts";
import type { Engine, Watch } from "#engine/evaluate/stream/engine.ts";
import type { EffectText } from "./effect/effects.ts";
import type { OtherPlace } from "./effect/otherWeights.ts";
import type { PromptForm } from "./evidence/promptForms.ts";
import type { PromptPass } from "./evidence/promptPass.ts";

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
  /** What the unmodified model's pass shows of its experts. */
  experts: ExpertsReport | null;
}

/** Tokens of all forms of the prompt. */
export function tokensOf(forms: readonly PromptForm[]): number {
  return forms.reduce((n, { ids }) => n + ids.length, 0);
}
