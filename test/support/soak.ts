/** Whether everything is tried, however long it takes: `npm run soak` runs the files that ask. */
export const SOAK = process.env["KEYSTONE_SOAK"] === "1";

/** What a test tries every time, and what it tries in a soak; it must fail for the same fault in both. */
export function soaked<T>(everyTime: T, soak: T): T {
  return SOAK ? soak : everyTime;
}
