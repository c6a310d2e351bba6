import { availableParallelism, cpus, freemem, totalmem } from "node:os";

/** What this run saw, so that its numbers can be compared with another's. */
export function machineLine(): string {
  const gibi = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${model}, ${availableParallelism()} cores, ${gibi(totalmem())} GiB memory (${gibi(freemem())} free), Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}
