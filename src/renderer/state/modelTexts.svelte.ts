import { z } from "zod";
import type { Host } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { TextInfo } from "#shared/estimate.ts";
import { calibrationText, judgedText, withText } from "#renderer/texts.ts";

const KEPT = "keystone.texts.";
const kept = z.object({
  text: z.string().nullable(),
  calibration: z.string().nullable(),
  picked: z.boolean(),
  own: z.array(z.string()),
});

/** The texts of the open model: those at hand, and the two that every screen uses until others are chosen. */
export class ModelTexts {
  list: readonly TextInfo[] = $state.raw([]);
  /** Path of the text that is evaluated on. */
  text: string | null = $state(null);
  /** Path of the text that thresholds and scales are chosen on; never the other one. */
  calibration: string | null = $state(null);
  /** Whether a person chose the text; otherwise it is the one that its name proposes. */
  picked = $state(false);
  /** Whether the texts beside the model were looked for. */
  read = $state(false);
  error: KeystoneErrorData | null = $state.raw(null);
  /** The chosen text with what is known of it. */
  readonly chosen: TextInfo | null = $derived.by(() => this.#find(this.text));
  readonly chosenCalibration: TextInfo | null = $derived.by(() => this.#find(this.calibration));
  readonly #host: Host;
  readonly #model: string;
  #reading: Promise<void> | null = null;
  /** Files that were picked, which lie elsewhere. */
  #own: readonly string[] = [];

  constructor(host: Host, model: string) {
    this.#host = host;
    this.#model = model;
    const before = readKept(sessionStorage.getItem(KEPT + model));
    if (before === null) return;
    this.text = before.text;
    this.calibration = before.calibration;
    this.picked = before.picked;
    this.#own = before.own;
  }

  /** Looks for texts beside the model, once, and proposes what nobody chose. */
  load(): Promise<void> {
    return (this.#reading ??= this.#load());
  }

  /** Takes a text, or what is known of it by now; the two texts are never one. */
  take(key: "text" | "calibration", text: TextInfo): void {
    if (!this.list.some(({ path }) => path === text.path)) this.#own = [...this.#own, text.path];
    this.list = withText(this.list, text);
    if (key === "text") this.picked ||= this.text !== text.path;
    this[key] = text.path;
    if (this.calibration === this.text)
      this.calibration = calibrationText(this.list, this.text)?.path ?? null;
    this.#keep();
  }

  /** Goes without a calibration text. */
  withoutCalibration(): void {
    this.calibration = null;
    this.#keep();
  }

  /** Describes a file that was picked. @throws KeystoneError text/…, access/outside */
  describe(path: string): Promise<TextInfo> {
    return this.#host.call("text:describe", { model: this.#model, path });
  }

  /** Counts the chosen text's tokens, where they are not counted. */
  async count(): Promise<void> {
    const { chosen } = this;
    if (chosen === null || chosen.tokens !== null) return;
    try {
      this.list = withText(this.list, await this.describe(chosen.path));
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
  }

  async #load(): Promise<void> {
    try {
      const found = await this.#host.call("text:list", { model: this.#model });
      const own = await Promise.all(
        this.#own.map((path) =>
          this.describe(path).then(
            (text) => [text],
            () => [],
          ),
        ),
      );
      this.list = own.flat().reduce<readonly TextInfo[]>(withText, found);
      const { list } = this;
      // A file that was picked and is no longer there is chosen no longer.
      if (this.#find(this.text) === null) this.text = judgedText(list)?.path ?? null;
      if (this.#find(this.calibration) === null && !this.#goesWithout())
        this.calibration = calibrationText(list, this.text)?.path ?? null;
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
    this.read = true;
  }

  /** Whether "none" was chosen, rather than nothing. */
  #goesWithout(): boolean {
    return this.calibration === null && sessionStorage.getItem(KEPT + this.#model) !== null;
  }

  #find(path: string | null): TextInfo | null {
    return this.list.find((text) => text.path === path) ?? null;
  }

  #keep(): void {
    const { text, calibration, picked } = this;
    const now: z.infer<typeof kept> = { text, calibration, picked, own: [...this.#own] };
    sessionStorage.setItem(KEPT + this.#model, JSON.stringify(now));
  }
}

/** Null where nothing was kept, or by another version. */
function readKept(json: string | null): z.infer<typeof kept> | null {
  if (json === null) return null;
  try {
    return kept.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}
