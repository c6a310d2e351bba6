import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folders in which distributions keep Chromium, whose SwiftShader is a Vulkan device in software. */
const CHROMIUM_FOLDERS = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/usr/lib64/chromium-browser",
  "/opt/google/chrome",
];

/**
 * Environment for a child process that shall find a WebGPU device without a graphics card. It must be a child: the runtime
 * reads these variables once, when it is loaded.
 * @throws Error naming the package to install where there is none
 */
export function softwareWebGpuEnvironment(): NodeJS.ProcessEnv {
  if (process.platform !== "linux") return process.env;
  const folder = CHROMIUM_FOLDERS.find(
    (path) => existsSync(join(path, "vk_swiftshader_icd.json")) && existsSync(join(path, "libvulkan.so.1")),
  );
  if (!folder) {
    throw new Error(
      `WebGPU is tested on Chromium's software Vulkan device, and no vk_swiftshader_icd.json lies in ${CHROMIUM_FOLDERS.join(", ")}: install it with "apt-get install chromium".`,
    );
  }
  return {
    ...process.env,
    VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    LD_LIBRARY_PATH: [folder, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":"),
    XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] ?? tmpdir(),
  };
}
