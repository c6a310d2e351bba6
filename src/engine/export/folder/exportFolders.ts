import { threadId } from "node:worker_threads";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { onDisk } from "#engine/files/output/diskErrors.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { unknownFile, MANIFEST_FILE } from "./unknownFile.ts";

/** The places an export touches, decided before it starts. Plain data: the owner keeps one copy, the worker gets another. */
export interface ExportFolders {
  /** The folder a person asked for. */
  readonly out: string;
  /** Where everything is written first, beside `out` so that the last step is a rename on one disk. */
  readonly part: string;
  /** Where a folder that is replaced waits until the new one stands. */
  readonly aside: string;
  /** Parents of `out` that do not exist yet, the innermost first. */
  readonly missingParents: readonly string[];
}

/** Longest folder name: 255 bytes is what common file systems take, less the ending of the folder beside it. */
const MAX_NAME_BYTES = 200;
let serial = 0;

/**
 * Checks where an export shall go and names the folders beside it.
 * @param source the checkpoint's folder
 * @throws KeystoneError export/bad-name, export/into-source, export/exists, export/not-an-export, export/not-a-folder
 */
export async function planFolders(
  fileSystem: FileSystem,
  source: string,
  out: string,
  overwrite: boolean,
): Promise<ExportFolders> {
  const wanted = resolve(out);
  requireName(basename(wanted), out);
  const { place, missingParents } = await onDisk({ doing: "looking for the folder", path: wanted }, () =>
    placeOf(fileSystem, wanted),
  );
  // these are made as well
  for (const parent of missingParents) requireName(basename(parent), out);
  const real = await onDisk({ doing: "looking for the checkpoint", path: source }, () =>
    fileSystem.realPath(source),
  );
  requireApart(real, place);
  await requireReplaceable(fileSystem, place, overwrite);
  serial += 1;
  const beside = `${place}.${process.pid}.${threadId}-${serial}`;
  return { out: place, part: `${beside}.part`, aside: `${beside}.old`, missingParents };
}

/** A name that every disk accepts. @throws KeystoneError export/bad-name */
function requireName(name: string, out: string): void {
  const fail = (why: string): never => {
    throw new KeystoneError(
      "export/bad-name",
      `${JSON.stringify(out)} cannot be the export's folder: ${why}.`,
      "Choose another folder name.",
      { out },
    );
  };
  if (name === "") fail("it is the root of a disk");
  if (/\p{Cc}/u.test(out)) fail("its name holds control characters");
  if (!name.isWellFormed()) fail("its name is not valid Unicode");
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) fail(`its name is longer than ${MAX_NAME_BYTES} bytes`);
  // everywhere, so that an export can be moved to any disk
  if (/[<>:"|?*]/.test(name) || /[. ]$/.test(name)) fail("Windows does not accept its name");
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) fail("Windows reserves its name");
}

/** Where a path really lies: links in the part of it that exists are followed. */
async function placeOf(
  fileSystem: FileSystem,
  wanted: string,
): Promise<{ place: string; missingParents: string[] }> {
  const missing: string[] = [];
  let existing = wanted;
  while ((await fileSystem.stat(existing)) === null && dirname(existing) !== existing) {
    missing.push(basename(existing));
    existing = dirname(existing);
  }
  const root = await fileSystem.realPath(existing);
  const place = join(root, ...missing.toReversed());
  const missingParents: string[] = [];
  for (let parent = dirname(place), left = missing.length - 1; left > 0; left--, parent = dirname(parent))
    missingParents.push(parent);
  return { place, missingParents };
}

function requireApart(source: string, out: string): void {
  const fail = (how: string): never => {
    throw new KeystoneError(
      "export/into-source",
      `The export's folder ${out} ${how} the checkpoint's own folder ${source}.`,
      "Choose a folder outside the checkpoint, for example beside it.",
      { out, source },
    );
  };
  if (out === source) fail("is");
  if (isInside(source, out)) fail("lies inside");
  if (isInside(out, source)) fail("holds");
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Whether something that lies at `out` may give way: an empty folder may, an earlier export that holds nothing else if
 * asked.
 * @returns true where a folder is there
 * @throws KeystoneError export/exists, export/not-an-export, export/not-a-folder
 */
export async function requireReplaceable(
  fileSystem: FileSystem,
  out: string,
  overwrite: boolean,
): Promise<boolean> {
  const found = await onDisk({ doing: "looking at the folder", path: out }, () => fileSystem.stat(out));
  if (found === null) return false;
  if (found.kind !== "folder") {
    throw new KeystoneError(
      "export/not-a-folder",
      `${out} is a file, not a folder.`,
      "Choose another name for the export's folder.",
      { out },
    );
  }
  const names = await onDisk({ doing: "looking into the folder", path: out }, () => fileSystem.list(out));
  if (names.length === 0) return true;
  if (!overwrite) {
    throw new KeystoneError(
      "export/exists",
      `${out} already exists and is not empty.`,
      "Choose another folder, or allow it to be overwritten.",
      { out },
    );
  }
  const foreign = await unknownFile(fileSystem, out);
  if (foreign !== null) {
    throw new KeystoneError(
      "export/not-an-export",
      foreign === MANIFEST_FILE
        ? `${out} holds files that no export wrote (it has no ${MANIFEST_FILE} of one), so it is not replaced.`
        : `${out} holds ${foreign}, which no export wrote, so it is not replaced.`,
      "Choose another folder, or move what is yours out of this one.",
      { out, file: foreign },
    );
  }
  return true;
}
