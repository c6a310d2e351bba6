import { readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { KeystoneError } from "#shared/errors.ts";

/** Decides which paths a face may name. */
export interface Access {
  /** The folders that may be used; null = every folder. */
  readonly roots: readonly string[] | null;
  /**
   * The real path behind `path`, with every symbolic link resolved; the last parts may not exist yet (an export's folder). A file's
   * own link stays where it is in an allowed folder: the files beside it, and its name, tell what it is.
   * @throws KeystoneError access/outside, usage/bad-path
   */
  check(path: string): string;
  /** Whether a path lies inside, without an error. */
  allows(path: string): boolean;
}

/** @param roots folders that paths must lie in; null = no limit. Read afresh every time: a face may add what a person picks. */
export function createAccess(roots: readonly string[] | null): Access {
  // a root that is a link to a file names it and allows nothing: what it leads to may have changed since it was picked
  const realRoots = (): string[] | null =>
    roots?.filter((root) => linkedFile(resolve(root)) === null).map((root) => realPath(resolve(root))) ??
    null;
  const inside = (path: string): boolean => realRoots()?.some((root) => contains(root, path)) ?? true;
  /** Whether a root is this very link. */
  const named = (link: string): boolean =>
    roots?.some((root) => join(realPath(dirname(resolve(root))), basename(root)) === link) ?? true;
  const check = (path: string): string => {
    if (path.includes("\0")) {
      throw new KeystoneError("usage/bad-path", "The path holds a zero byte.", "Name a file or folder.");
    }
    const found = realPath(resolve(path));
    if (inside(found)) {
      const link = linkPlace(resolve(path), found);
      return link !== null && (inside(link) || named(link)) ? link : found;
    }
    throw new KeystoneError(
      "access/outside",
      `${path} is outside the folders that this Keystone was started with (${realRoots()?.join(", ") ?? ""}).`,
      "Choose something inside them, or start Keystone with that folder.",
      { path },
    );
  };
  return {
    get roots() {
      return realRoots();
    },
    check,
    allows: (path) => {
      try {
        check(path);
        return true;
      } catch {
        return false;
      }
    },
  };
}

function contains(root: string, path: string): boolean {
  const from = relative(root, path);
  return from === "" || (from !== ".." && !from.startsWith(`..${sep}`) && !isAbsolute(from));
}

/** Where the link to a file lies, its folder's links resolved; null where `path` is no link to a file. */
function linkPlace(path: string, target: string): string | null {
  return linkTarget(path) !== null && isFile(target) ? join(realPath(dirname(path)), basename(path)) : null;
}

/** The file that `path` is a link to; null where it is none. */
export function linkedFile(path: string): string | null {
  return linkTarget(path) !== null && isFile(path) ? realPath(path) : null;
}

/** False also behind a loop of links. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** More links than this, one behind the other, are a loop. */
const MAX_LINKS = 40;

/** realpath of the longest part that exists, with the rest appended; a link to something that does not exist is followed too. */
function realPath(path: string, links = 0): string {
  if (links > MAX_LINKS) {
    throw new KeystoneError(
      "usage/bad-path",
      `${path} leads through a loop of symbolic links.`,
      "Name another path.",
      { path },
    );
  }
  try {
    return realpathSync(path);
  } catch {
    const target = linkTarget(path);
    if (target !== null) return realPath(resolve(realPath(dirname(path), links + 1), target), links + 1);
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent, links), basename(path));
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
