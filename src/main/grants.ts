import { mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";

/** More picks than this are not remembered; the oldest go first. */
const MOST_REMEMBERED = 500;

const grantedPaths = z.array(z.string().min(1).max(4096)).max(MOST_REMEMBERED);

/**
 * What a person picked in a dialog, dropped, or had opened by the system: the only paths that the studio may use, since
 * the window itself is not trusted to name any. Kept between starts, so that a run can go on with the text it began with.
 */
export class Grants {
  /** Handed to the studio, which reads it at every call. */
  readonly roots: string[];
  readonly #file: string;
  readonly #shipped: number;

  /** @param shipped folders that come with the app and are always allowed */
  constructor(file: string, shipped: readonly string[]) {
    this.#file = file;
    this.#shipped = shipped.length;
    this.roots = [...shipped, ...remembered(file)];
  }

  /**
   * Lets the studio use a path. A link is followed now: what it points at later was not picked. A file's link is kept as well, since
   * the file goes by its name; it allows nothing but the file that was picked.
   */
  add(path: string): void {
    const real = realPath(path);
    const place = join(realPath(dirname(resolve(path))), basename(path));
    const file = statSync(real, { throwIfNoEntry: false })?.isFile() === true;
    const fresh = [...new Set(file ? [real, place] : [real])].filter((each) => !this.roots.includes(each));
    if (fresh.length === 0) return;
    this.roots.push(...fresh);
    const over = this.roots.length - this.#shipped - MOST_REMEMBERED;
    if (over > 0) this.roots.splice(this.#shipped, over);
    this.#remember();
  }

  #remember(): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      const part = `${this.#file}.${process.pid}.part`;
      writeFileSync(part, JSON.stringify(this.roots.slice(this.#shipped)), { mode: 0o600 });
      renameSync(part, this.#file);
    } catch {
      // It holds until the app quits; the next start asks again.
    }
  }
}

function remembered(file: string): string[] {
  try {
    return grantedPaths.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return [];
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
