import { buildSquaresGraph } from "#engine/architecture/decoder/heads.ts";
import { floats, openSession, type Session, type SessionOptions } from "./session.ts";
import type { Forward } from "./forward.ts";

/** What a matrix does to rows, as sums of squares; the session is made when it is first needed. */
export function createOutputSquares(options: SessionOptions): Pick<Forward, "outputSquares" | "close"> {
  let opened: Promise<Session> | null = null;
  return {
    outputSquares: async (x, weight, width) => {
      const session = await (opened ??= openSession(buildSquaresGraph(), options));
      const rows = x.length / width;
      const squares = new Float32Array(rows);
      await session.run(
        { x: floats(x, [rows, width]), weight: floats(weight, [weight.length / width, width]) },
        { squares: floats(squares, [rows]) },
      );
      return squares;
    },
    close: async () => {
      const session = await opened;
      opened = null;
      await session?.release();
    },
  };
}
