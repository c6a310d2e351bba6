import { z } from "zod";
import { affine } from "./affine.ts";
import { awqInt } from "./awqInt.ts";
import { compressedTensors } from "./compressedTensors.ts";
import type { Offer, SchemeDescriptor } from "./descriptor.ts";
import { fp8E4m3 } from "./fp8.ts";
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from "./ggufBlocks.ts";
import { gptqInt } from "./gptqInt.ts";
import { bf16, f16 } from "./halfTypes.ts";
import { int } from "./int.ts";
import { matMulNBits } from "./matMulNBits.ts";
import { mlx } from "./mlx.ts";
import { q3KL, q3KM, q3KS, q4KM, q4KS, q5KM, q5KS } from "./mixes.ts";
import { nf3, nf3Minmax, nf4, nf4Minmax } from "./normalFloat.ts";
import type { SectionName } from "./sections.ts";
import { iq4Nl, iq4Xs, q2K, q3K, q4K, q5K, q6K } from "./superBlocks.ts";

/** Every scheme by the name that recipes give it. A further one is a file here, and its arithmetic in `engine/quantize/schemes`. */
const TABLE = {
  affine,
  int,
  nf4,
  nf3,
  "nf4-minmax": nf4Minmax,
  "nf3-minmax": nf3Minmax,
  fp8_e4m3: fp8E4m3,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  iq4_nl: iq4Nl,
  q2_k: q2K,
  q3_k: q3K,
  q4_k: q4K,
  q5_k: q5K,
  q6_k: q6K,
  iq4_xs: iq4Xs,
  q3_k_s: q3KS,
  q3_k_m: q3KM,
  q3_k_l: q3KL,
  q4_k_s: q4KS,
  q4_k_m: q4KM,
  q5_k_s: q5KS,
  q5_k_m: q5KM,
  "compressed-tensors": compressedTensors,
  "gptq-int": gptqInt,
  "awq-int": awqInt,
  matmulnbits: matMulNBits,
  mlx,
  f16,
  bf16,
} as const satisfies Readonly<Record<string, SchemeDescriptor>>;

/** How numbers are stored. Those named after a format are that format's own, bit for bit. */
export type SchemeName = keyof typeof TABLE;
export const schemeName = z.enum(Object.keys(TABLE) as [SchemeName, ...SchemeName[]]);
export const SCHEMES: Readonly<Record<SchemeName, SchemeDescriptor>> = TABLE;

/** The forms that a row of the wizard offers, in the order of the schemes. */
export function offersIn(section: SectionName): (Offer & { readonly scheme: SchemeName })[] {
  return schemeName.options.flatMap((scheme) =>
    SCHEMES[scheme].offers
      .filter((offer) => offer.section === section)
      .map((offer) => ({ ...offer, scheme })),
  );
}

/** A contradiction, and the field that it is found in. */
interface SchemeIssue {
  field: "bits" | "symmetric" | "granularity" | "range";
  message: string;
}

/** What contradicts a scheme in a recipe's fields; empty = nothing. @param value.clips whether a clip is asked for */
export function schemeIssues(value: {
  scheme: SchemeName;
  bits: number;
  symmetric: boolean;
  granularity: string;
  clips: boolean;
}): SchemeIssue[] {
  const { bits, symmetric, granularities, rounds } = SCHEMES[value.scheme];
  const issues: SchemeIssue[] = [];
  if (value.clips && rounds) {
    issues.push({
      field: "range",
      message: `${value.scheme} rounds each weight by itself: there is no range that a clip could cut`,
    });
  }
  if (!bits.includes(value.bits)) {
    issues.push({
      field: "bits",
      message: `${value.scheme} stores ${bits.join(" or ")} bits, but bits is ${value.bits}`,
    });
  }
  if (value.symmetric && !symmetric) {
    issues.push({
      field: "symmetric",
      message: `${value.scheme} has no choice of a symmetric form; ${SYMMETRIC.join(", ")} have`,
    });
  }
  if (!schemeHasGranularity(value.scheme, value.granularity)) {
    const known = typeof granularities === "string" ? [granularities] : granularities;
    const wanted =
      granularities === "rows"
        ? '"group:N" or "channel"'
        : known.map((granularity) => `"${granularity}"`).join(" or ");
    issues.push({
      field: "granularity",
      message: `${value.scheme} has blocks of ${wanted}, not "${value.granularity}"`,
    });
  }
  return issues;
}

/** Whether a scheme knows blocks of that kind and size; whether they divide a model's rows is another question. */
export function schemeHasGranularity(scheme: SchemeName, granularity: string): boolean {
  const { granularities } = SCHEMES[scheme];
  if (granularities === "any") return true;
  if (granularities === "rows") return /^(group:|channel$)/.test(granularity);
  const known: readonly string[] = typeof granularities === "string" ? [granularities] : granularities;
  return known.includes(granularity);
}

const SYMMETRIC = Object.entries(SCHEMES).flatMap(([name, facts]) => (facts.symmetric ? [name] : []));
