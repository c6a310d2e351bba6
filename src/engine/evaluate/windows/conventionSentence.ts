import type { RowJoin, WindowConvention } from "#shared/plan.ts";

interface ConventionFacts {
  readonly windows: WindowConvention;
  readonly join: RowJoin;
  /** Documents that were used, or rows that were joined to one. */
  readonly documents: number;
  readonly windowCount: number;
  readonly context: number;
  readonly stride: number;
  readonly scored: number;
  /** Tokens of the text, scored or not. */
  readonly textTokens: number;
  /** Whether the tokenizer puts BOS in front of a text by itself. */
  readonly addsBos: boolean;
  /** Whether what stands in front of a document where lm-eval's rule asks for something is BOS. */
  readonly prefixIsBos: boolean;
  /** Documents (of one joined text: that text) that begin with that token themselves. */
  readonly ownLead: number;
  /** Whether a token limit ended the text early. */
  readonly limited: boolean;
}

/** How the text was cut and counted, in one sentence. */
export function conventionSentence(facts: ConventionFacts): string {
  const taken = facts.limited ? `; stopped at the token limit, after ${count(facts.scored, "token")}` : "";
  const left = facts.textTokens - facts.scored;
  const estimated =
    left > 0
      ? `; word and byte perplexity take the ${count(left, "token")} of the text that ${left === 1 ? "is" : "are"} not scored to cost as much as the others`
      : "";
  return `${METHODS[facts.windows](facts)}${ownLead(facts)}${taken}${estimated}.`;
}

/** Fed twice, BOS would make another text of it. */
function ownLead({ ownLead: documents, windows, prefixIsBos }: ConventionFacts): string {
  if (documents === 0) return "";
  const token = windows === "rolling" && !prefixIsBos ? "EOS" : "BOS";
  if (windows === "gptq" || windows === "llama.cpp")
    return `; the text begins with ${token} itself: none is added`;
  return `; ${count(documents, "document")} already ${documents === 1 ? "begins" : "begin"} with ${token}: it is fed once and not scored`;
}

const METHODS: Record<WindowConvention, (facts: ConventionFacts) => string> = {
  bos: (facts) => {
    const length = facts.addsBos ? facts.context - 1 : facts.context;
    const overlapping = facts.stride < length;
    const windows = `${count(facts.windowCount, overlapping ? "overlapping window" : "window")} of at most ${number(length)} tokens`;
    const led = facts.addsBos
      ? "each led by BOS"
      : "whose first token is not scored (the tokenizer adds no BOS)";
    const each = overlapping
      ? `, stride ${number(facts.stride)}, only new tokens scored`
      : facts.addsBos
        ? ", every text token predicted once"
        : "";
    return `${documents(facts)} cut into ${windows}, ${led}${each}`;
  },
  gptq: (facts) =>
    `GPTQ-style: ${documents(facts)}, tokenised once and cut into ` +
    `${count(facts.windowCount, "window")} of ${number(facts.context)} tokens whose first is not scored; the remainder is dropped`,
  rolling: (facts) =>
    rolling(facts, facts.prefixIsBos ? "BOS" : "EOS") +
    (facts.addsBos ? " (lm-eval 0.4.13 itself puts BOS there twice: its windows are called lm-eval)" : ""),
  "lm-eval": (facts) =>
    facts.addsBos
      ? `${rolling(facts, "BOS twice")}, the second BOS too, as lm-eval 0.4.13 does`
      : rolling(facts, facts.prefixIsBos ? "BOS" : "EOS"),
  "llama.cpp": (facts) =>
    `As llama.cpp's perplexity: ${documents(facts)}, tokenised once and cut into ${count(facts.windowCount, "window")} of ` +
    `${number(facts.context)} tokens${facts.addsBos ? ", the first of each replaced by BOS" : ""}; those behind the middle are scored, the remainder is dropped`,
};

function rolling(facts: ConventionFacts, lead: string): string {
  return (
    `lm-eval's rolling windows: ${documents(facts)}, each led by ${lead}, ` +
    `${count(facts.windowCount, "window")} of at most ${number(facts.context)} tokens, ${number(facts.stride)} predicted in each, every text token once`
  );
}

/** What was cut, and what was made of the file's rows for it. */
function documents({ join, documents: n }: ConventionFacts): string {
  if (join === "articles")
    return `${count(n, "article")} of WikiText, prepared as lm-eval's wikitext task does`;
  if (join === "rows" || n === 1) return count(n, "document");
  return `${count(n, "row")} joined by ${join === "blank-line" ? "blank lines" : "nothing between them"} into one document`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function count(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}
