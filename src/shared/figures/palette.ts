/** Colours and type of the tokens, as charts need them: one of the window's themes, or the report's names. */
export interface Palette {
  ink: string;
  ink2: string;
  ink3: string;
  inkInverse: string;
  pane: string;
  rule: string;
  ruleStrong: string;
  grid: string;
  control: string;
  sunken: string;
  sw: string;
  swLine: string;
  swText: string;
  err: string;
  /** `--seq-0` … `--seq-8` and the text colour on each. */
  seq: string[];
  seqOn: string[];
  /** Variants A to D. */
  cat: string[];
  font: string;
}

/** The palette whose colours are what `token` makes of each design token's name, e.g. `sw-line`. */
export function paletteOf(token: (name: string) => string): Palette {
  const numbered = (name: string, from: number, to: number, tail = ""): string[] =>
    Array.from({ length: to - from + 1 }, (_, i) => token(`${name}-${from + i}${tail}`));
  return {
    ink: token("ink"),
    ink2: token("ink-2"),
    ink3: token("ink-3"),
    inkInverse: token("ink-inverse"),
    pane: token("pane"),
    rule: token("rule"),
    ruleStrong: token("rule-strong"),
    grid: token("grid-line"),
    control: token("control"),
    sunken: token("sunken"),
    sw: token("sw"),
    swLine: token("sw-line"),
    swText: token("sw-text"),
    err: token("err"),
    seq: numbered("seq", 0, 8),
    seqOn: numbered("seq", 0, 8, "-on"),
    cat: numbered("cat", 1, 4),
    font: token("font-ui"),
  };
}
