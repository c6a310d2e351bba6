/** What of a perplexity may differ wherever a program runs an export as it was made to. */
export const PERPLEXITY_TOLERANCE = 5e-3;

/** One export that both computed: what a peer is held to. */
export interface Check {
  /** Model and recipe, as a failure names them. */
  readonly subject: string;
  /** What the peer computes in, e.g. `float32` or `bfloat16`. */
  readonly arithmetic: string;
  /** Largest difference of a logit, as a share of the largest logit, and how large it may be; null where only scores were compared. */
  readonly logits: number | null;
  readonly logitTolerance: number | null;
  readonly perplexity: { readonly ours: number; readonly theirs: number };
  /** Relative; PERPLEXITY_TOLERANCE where only the order of sums differs less. */
  readonly perplexityTolerance: number;
}

/** A check of which logits were compared as well. */
export interface LogitCheck extends Check {
  readonly logits: number;
  readonly logitTolerance: number;
}

/** What came of a peer. */
export interface PeerReport {
  /** Of everything that took part, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Markdown: what it was held to and what was found. */
  readonly text: string;
  readonly checks: readonly Check[];
  /** What does not hold besides the checks: tokens, bytes, generated text. */
  readonly failures: readonly string[];
}

/** A program of others that loads what Keystone exports. */
export interface Peer {
  /** How a sentence names it. */
  readonly title: string;
  /** Where in docs/ its output is kept, e.g. `gguf.md#held-against-llamacpp`. */
  readonly section: string;
  /**
   * @param python an interpreter that has the packages of the peer's requirements.txt
   * @throws PeerMissing where the program is not to be had on this machine
   */
  run(python: string): Promise<PeerReport>;
}

/** The program is not there: nothing was compared. */
export class PeerMissing extends Error {
  override readonly name = "PeerMissing";
}

/** Relative difference of the two perplexities. */
export function perplexityError({ perplexity: { ours, theirs } }: Check): number {
  return Math.abs(theirs / ours - 1);
}

/** What does not hold of a check, NaN included. */
export function failuresOf(check: Check): string[] {
  const { subject, arithmetic, logits, logitTolerance, perplexity, perplexityTolerance } = check;
  const which = `${subject}, ${arithmetic}`;
  return [
    ...(logits === null || logitTolerance === null || logits <= logitTolerance
      ? []
      : [`${which}: logits differ by ${logits}, more than ${logitTolerance} of the largest`]),
    ...(perplexityError(check) <= perplexityTolerance
      ? []
      : [
          `${which}: perplexities ${perplexity.ours} and ${perplexity.theirs} differ by more than ${perplexityTolerance}`,
        ]),
  ];
}

/** Names and versions in one line. */
export function versionsText(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

/** A Markdown table. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}
