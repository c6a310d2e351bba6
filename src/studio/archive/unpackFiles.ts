import { setImmediate as breathe } from "node:timers/promises";
import { unzipSync } from "fflate";
import { KeystoneError } from "#shared/errors.ts";
import { fileSize } from "#shared/format.ts";
import {
  ARCHIVE_NAMES,
  MAX_ARCHIVE_BYTES,
  MAX_ENTRIES,
  MAX_ENTRY_BYTES,
  MAX_UNPACKED_BYTES,
  REPORT_FILE,
} from "#shared/runArchive.ts";

/**
 * The files of a run's archive, by name; the report is for people and stays packed. What a zip claims is held against fixed bounds
 * before anything of it is inflated, and nothing is ever written under a name that it chose.
 * @throws KeystoneError archive/too-large, archive/not-an-archive, archive/unexpected-file
 */
export async function unpackFiles(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  if (archive.length > MAX_ARCHIVE_BYTES) throw tooLarge("It", archive.length, MAX_ARCHIVE_BYTES);
  const names = listed(archive).filter((name) => name !== REPORT_FILE);
  const files = new Map<string, Uint8Array>();
  for (const wanted of names) {
    const found = reading(() => unzipSync(archive, { filter: ({ name }) => name === wanted }))[wanted];
    if (found) files.set(wanted, found);
    await breathe();
  }
  return files;
}

/** The names in the zip's own table, each checked. */
function listed(archive: Uint8Array): string[] {
  const names = new Set<string>();
  let unpacked = 0;
  reading(() =>
    unzipSync(archive, {
      filter: ({ name, originalSize }) => {
        if (!ARCHIVE_NAMES.test(name)) throw unexpected(name, "is no part of a run's archive");
        if (names.has(name)) throw unexpected(name, "is there twice");
        names.add(name);
        unpacked += originalSize;
        if (names.size > MAX_ENTRIES) throw unexpected(name, `is one of more than ${MAX_ENTRIES} files`);
        if (originalSize > MAX_ENTRY_BYTES) throw tooLarge(`Its file ${name}`, originalSize, MAX_ENTRY_BYTES);
        if (unpacked > MAX_UNPACKED_BYTES) throw tooLarge("What it unpacks to", unpacked, MAX_UNPACKED_BYTES);
        return false;
      },
    }),
  );
  return [...names];
}

/** What the zip's reader throws, as one sentence. */
function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof KeystoneError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeystoneError(
      "archive/not-an-archive",
      `This is no zip file that can be read (${reason}).`,
      "Choose a file that Keystone exported from a run; if it is one, get it again: it may have been cut off on its way.",
      { reason },
      { cause },
    );
  }
}

/** Longest part of a foreign name that is shown. */
const SHOWN_NAME = 80;

function unexpected(name: string, problem: string): KeystoneError {
  const shown = JSON.stringify(name.slice(0, SHOWN_NAME));
  return new KeystoneError(
    "archive/unexpected-file",
    `The zip's file ${shown} ${problem}.`,
    "Choose a file that Keystone exported from a run.",
    { file: name.slice(0, SHOWN_NAME) },
  );
}

function tooLarge(what: string, bytes: number, most: number): KeystoneError {
  return new KeystoneError(
    "archive/too-large",
    `${what} takes ${fileSize(bytes)}, more than the ${fileSize(most)} that an archive may hold.`,
    "Choose a file that Keystone exported from a run.",
    { bytes, most },
  );
}
