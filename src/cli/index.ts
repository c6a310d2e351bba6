import { processIo } from "./output/io.ts";
import { main } from "./main.ts";

/** Time for threads to wind down before the process is ended anyway, in milliseconds. */
const WIND_DOWN_MS = 3_000;

const code = await main(process.argv.slice(2), processIo());
process.exitCode = code;
setTimeout(() => process.exit(code), WIND_DOWN_MS).unref();
