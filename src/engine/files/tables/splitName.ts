import { basename, extname } from "node:path";

/** `validation-00000-of-00001.parquet`, `test.jsonl`, `arc_easy_test.jsonl`. */
export const SPLIT_NAME = /(?:^|[-_.])(train|validation|valid|val|dev|test)(?=[-_.]|$)/i;
/** The number of a file of several: `-00000-of-00002`. */
const SHARD = /[-_.]?\d+-of-\d+$/;

/** A file's name without its ending, its number and its split: `arc_easy` of `arc_easy_test.jsonl`; empty where that is all. */
export function splitless(name: string): string {
  const stem = basename(name, extname(name)).replace(SHARD, "");
  return stem.replace(SPLIT_NAME, "").replace(/^[-_.]+|[-_.]+$/g, "");
}
