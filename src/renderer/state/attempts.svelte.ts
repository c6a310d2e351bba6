import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";

/** What a screen asks for: the error of the last attempt is kept for its banner until the next one, or until it is dismissed. */
export class Attempts {
  error: KeystoneErrorData | null = $state.raw(null);

  /** Does the work; never throws. */
  readonly attempt = async (work: () => unknown): Promise<void> => {
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
  };

  readonly dismiss = (): void => {
    this.error = null;
  };
}
