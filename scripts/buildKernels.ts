// Compiles the quantizer's AssemblyScript kernels into kernelModule.ts, a base64 string, so that sources, tests and bundle load
// them alike, without a file beside them.          usage: node scripts/buildKernels.ts
import asc from "assemblyscript/asc";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const SOURCE = "src/engine/numeric/kernels/assembly/index.ts";
const TARGET = join(root, "src/engine/numeric/kernels/kernelModule.ts");

/** Twelve pages of 64 KiB hold layout.ts's END. */
const PAGES = "12";
const OPTIONS = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--use", "abort="];

/** The module that the sources compile to. */
export async function compileKernels(): Promise<Uint8Array> {
  const memory = ["--initialMemory", PAGES, "--maximumMemory", PAGES];
  const file = "kernels.wasm";
  let module: Uint8Array | undefined;
  let messages = "";
  const { error } = await asc.main([SOURCE, ...OPTIONS, ...memory, "--baseDir", root, "--outFile", file], {
    stderr: { write: (text: string | Uint8Array) => void (messages += String(text)) },
    writeFile: (name: string, contents: string | Uint8Array) => {
      if (name === file && typeof contents !== "string") module = contents;
    },
  });
  if (error || !module) throw new Error(`The kernels do not compile.\n${messages}`, { cause: error });
  return module;
}

/** kernelModule.ts for a compiled module. */
export function moduleText(module: Uint8Array): string {
  const lines =
    Buffer.from(module)
      .toString("base64")
      .match(/.{1,100}/g) ?? [];
  return [
    "/** The kernels of ./assembly, compiled by scripts/buildKernels.ts; WebAssembly in base64. */",
    "export const KERNEL_MODULE = [",
    ...lines.map((line) => `  "${line}",`),
    '].join("");',
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync(TARGET, moduleText(await compileKernels()));
