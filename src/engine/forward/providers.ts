import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { listSupportedBackends } from "onnxruntime-node";
import type { Provider } from "./session.ts";

/** How providers are called in sentences. */
export const TITLES: Record<Provider, string> = {
  cpu: "CPU",
  webgpu: "WebGPU",
  cuda: "CUDA",
  dml: "DirectML",
  coreml: "CoreML",
};

export type Accelerator = Exclude<Provider, "cpu">;

/** Best first. */
const ACCELERATORS: readonly Accelerator[] = ["cuda", "webgpu", "dml", "coreml"];

/** Accelerators that onnxruntime has at all on this platform, in the order that `auto` tries them. */
export function offeredAccelerators(): Accelerator[] {
  return ACCELERATORS.filter(isOffered);
}

function isOffered(provider: Provider): boolean {
  return listSupportedBackends().some((backend) => backend.name === provider);
}

/**
 * Why a provider cannot be on this machine, from what lies on its disk, or null where only trying tells. Trying a library
 * that is not there makes the runtime and its GPU layer write to stderr, which `auto` would do at every start.
 */
export function whyAbsent(provider: Provider): string | null {
  if (!isOffered(provider)) {
    return `it is not part of onnxruntime on ${process.platform}-${process.arch}`;
  }
  if (
    provider === "cuda" &&
    process.platform === "linux" &&
    !existsSync(join(nativeFolder(), CUDA_LIBRARY))
  ) {
    return `onnxruntime's ${CUDA_LIBRARY} is not installed`;
  }
  if (provider === "webgpu" && process.platform === "linux" && !vulkanLoader()) {
    return `no Vulkan loader (${VULKAN_LOADER}) on this machine`;
  }
  return null;
}

const CUDA_LIBRARY = "libonnxruntime_providers_cuda.so";
const VULKAN_LOADER = "libvulkan.so.1";

/** Where onnxruntime-node keeps its native libraries. */
function nativeFolder(): string {
  const packageFolder = dirname(dirname(createRequire(import.meta.url).resolve("onnxruntime-node")));
  return join(packageFolder, "bin", "napi-v6", process.platform, process.arch);
}

/** The loader's path, from the folders that the dynamic linker searches on common distributions. */
function vulkanLoader(): string | undefined {
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const asked = (process.env["LD_LIBRARY_PATH"] ?? "").split(":").filter((folder) => folder !== "");
  const usual = [
    "/usr/local/lib",
    `/usr/lib/${triplet}`,
    `/lib/${triplet}`,
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/lib",
    "/run/opengl-driver/lib",
  ];
  return [...asked, ...usual].map((folder) => join(folder, VULKAN_LOADER)).find((path) => existsSync(path));
}
