/** What effects are measured on where no text is given: plain English, written for this program. */
export const PASSAGE = [
  "The harbour was quiet when the first boats came back. Anna counted the crates on the pier, wrote the number in her notebook, and",
  "waved to her brother, who was tying a rope to the old iron ring. “Twelve,” she said. “Two more than yesterday.” The fish would go",
  "to the market in the city before noon, and the money would pay for a new engine. People said that the winter of 1987 had been",
  "colder, but nobody could remember so much ice along the coast. By eight o'clock the sun stood above the roofs, the shops opened",
  "their doors, and children ran down the hill to school. The baker carried out a tray of warm bread, and for a moment the whole",
  "street smelled of it. Later in the day a letter arrived from the capital. It was short, and it was not signed.",
].join(" ");

/** Name of the passage in reports. */
export const PASSAGE_NAME = "the passage that ships with Keystone";

/** Tokens of the passage that are scored: enough to tell effects apart, few enough for many variants. */
export const PASSAGE_TOKENS = 128;
