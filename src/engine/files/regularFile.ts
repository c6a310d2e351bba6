import { stat } from "node:fs/promises";

/** True for a regular file or a link to one; false where nothing is. */
export async function isRegularFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
