import type { WindowConvention } from "#shared/plan.ts";

interface ConventionFacts {
  readonly windows: WindowConvention;
  readonly documents: number;
  readonly windowCount: number;
  readonly context: number;
  readonly stride: number;
  /** Whether windows (or documents) are led by a token that is not text, and whether that is BOS. */
  readonly prefixed: boolean;
  readonly prefixIsBos: boolean;
  /** Documents (of `gptq`: the joined text) that begin with that token themselves. */
  readonly ownLead: number;
  /** Tokens scored when a token limit ended the text early; null where the whole text was taken. */
  readonly tokens: number | null;
}

/** How the text was cut and counted, in one sentence. */
export function conventionSentence(facts: ConventionFacts): string {
  const taken =
    facts.tokens === null ? "" : `; stopped at the token limit, after ${count(facts.tokens, "token")}`;
  return `${METHODS[facts.windows](facts)}${ownLead(facts)}${taken}.`;
}

/** Fed twice, BOS would make another text of it. */
function ownLead({ ownLead: documents, windows, prefixIsBos }: ConventionFacts): string {
  if (documents === 0) return "";
  const token = windows === "rolling" && !prefixIsBos ? "EOS" : "BOS";
  if (windows === "gptq") return `; the text begins with ${token} itself: none is added`;
  return `; ${count(documents, "document")} already ${documents === 1 ? "begins" : "begin"} with ${token}: it is fed once and not scored`;
}

const METHODS: Record<WindowConvention, (facts: ConventionFacts) => string> = {
  bos: (facts) => {
    const length = facts.prefixed ? facts.context - 1 : facts.context;
    const overlapping = facts.stride < length;
    const windows = `${count(facts.windowCount, overlapping ? "overlapping window" : "window")} of at most ${number(length)} tokens`;
    const led = facts.prefixed
      ? "each led by BOS"
      : "whose first token is not scored (the tokenizer adds no BOS)";
    const each = overlapping
      ? `, stride ${number(facts.stride)}, only new tokens scored`
      : facts.prefixed
        ? ", every text token predicted once"
        : "";
    return `${count(facts.documents, "document")} cut into ${windows}, ${led}${each}`;
  },
  gptq: (facts) =>
    `GPTQ-style: ${count(facts.documents, "document")} joined by blank lines, tokenised once and cut into ` +
    `${count(facts.windowCount, "window")} of ${number(facts.context)} tokens whose first is not scored; the remainder is dropped`,
  rolling: (facts) =>
    `lm-eval's rolling windows: ${count(facts.documents, "document")}, each led by ${facts.prefixIsBos ? "BOS" : "EOS"}, ` +
    `${count(facts.windowCount, "window")} of at most ${number(facts.context)} tokens, ${number(facts.stride)} predicted in each, every text token once`,
};

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function count(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}
