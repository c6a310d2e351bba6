import { z } from "zod";

/** An error as it crosses a boundary: KeystoneErrorData. Apart from the schemas that hold it, which hold one another's. */
export const errorData = z.object({
  code: z.string(),
  message: z.string(),
  next: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
