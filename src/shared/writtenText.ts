import type { WrittenText } from "./comparison.ts";

/** How a text came to its end, in a few words; null while it is being written. An empty one says that the model ended at once. */
export function endOfText({ output, end, endToken }: WrittenText): string | null {
  const { length } = output.tokens;
  switch (end) {
    case null:
      return null;
    case "length":
      return "stopped at the limit";
    case "cancelled":
      return "cancelled, not finished";
    case "not-finite":
      return "stopped: its logits are not finite";
    case "end-token":
      return `ended ${length === 0 ? "at once, " : ""}with ${endToken?.text ?? "a token that ends a text"}`;
  }
}
