/**
 * Keeps onnxruntime from reporting to its publisher. Its Linux and macOS builds from 1.29 on send names of model files and hashes
 * of graphs, and keep a database of such events in the user's cache folder, unless this variable is set when the first session
 * opens. A worker's environment is a copy that the runtime does not see: the main thread calls this before it starts one.
 */
export function silenceRuntime(): void {
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
}
