import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const LIBRARY = join(
  import.meta.dirname,
  "../../node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1",
);
/** `xgetbv`: which registers the system saves. Programs ask it before they use wide ones. */
const XGETBV = Buffer.of(0x0f, 0x01, 0xd0);
/** `xor ecx, ecx` before it: the first word is asked for. The same three bytes also lie inside other instructions. */
const FIRST_WORD = Buffer.of(0x31, 0xc9);
/** `mov eax, eax; shl rdx, 32` behind it: both halves of the answer are put together. */
const BOTH_HALVES = Buffer.of(0x89, 0xc0, 0x48, 0xc1, 0xe2, 0x20);

/** What the runtime is told that there is: bits for x87, SSE and AVX, never those for AVX-512. */
const REGISTERS = { avx2: 0b111, sse: 0b011 } as const;
export type Registers = keyof typeof REGISTERS;

/**
 * Writes a copy of the runtime for Linux on x64 into `folder` that takes its processor for an older one: a process that has the
 * folder in LD_LIBRARY_PATH computes as on a processor with AVX2, or with SSE alone and no fused operations. glibc's own switches
 * don't reach the runtime's kernels.
 * @throws where no question to the processor is found in it
 */
export function writeNarrowRuntime(folder: string, registers: Registers): void {
  const path = join(folder, basename(LIBRARY));
  copyFileSync(LIBRARY, path);
  const bytes = readFileSync(path);
  /** `mov al, n; nop` */
  const answer = Buffer.of(0xb0, REGISTERS[registers], 0x90);
  let questions = 0;
  for (let at = bytes.indexOf(XGETBV); at >= 0; at = bytes.indexOf(XGETBV, at + 1)) {
    if (!isQuestion(bytes, at)) continue;
    answer.copy(bytes, at);
    questions++;
  }
  if (questions === 0) throw new Error("The runtime never asks for wide registers, or no longer as it did.");
  writeFileSync(path, bytes);
}

function isQuestion(bytes: Buffer, at: number): boolean {
  const behind = at + XGETBV.length;
  return (
    bytes.subarray(at - FIRST_WORD.length, at).equals(FIRST_WORD) ||
    bytes.subarray(behind, behind + BOTH_HALVES.length).equals(BOTH_HALVES)
  );
}
