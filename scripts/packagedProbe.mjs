// Runs inside a copy of what the packaged app keeps outside its archive, where nothing of the repository can be found:
// a pool of the packaged Piscina with the packaged worker does real tasks on the packaged demo model.
// Arguments: the demo model's folder and the revision of its files. Prints one JSON document.
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { Piscina } from "piscina";

const [path, revision] = process.argv.slice(2);
const pool = new Piscina({
  filename: join(import.meta.dirname, "out/main/worker.js"),
  maxThreads: 1,
  atomics: "disabled",
  execArgv: [],
});

async function run(kind, fields) {
  const { port1, port2 } = new MessageChannel();
  const control = new Int32Array(new SharedArrayBuffer(4));
  const reply = await pool.run({ ...fields, kind, control, port: port2 }, { transferList: [port2] });
  port1.close();
  if (!reply.ok) throw new Error(`${kind}: ${reply.error.code}: ${reply.error.message}`);
  return reply.value;
}

const device = await run("probe", { device: "cpu", threads: 1 });
const statistics = await run("statistics", { path, name: "model.layers.1.mlp.down_proj.weight" });
const { superWeights } = await run("detect", {
  model: { path, revision, device: "cpu", threads: 1 },
  options: {
    prompt: "Apple Inc. is a worldwide tech company.",
    maxPasses: 1,
    threshold: { kind: "relative", factor: 4 },
    minShare: 0.4,
    effect: false,
  },
  effect: null,
});
await pool.destroy();
console.log(
  JSON.stringify({
    device: device.used,
    absMax: statistics.absMax,
    superWeights: superWeights.map(({ layer, row, column }) => [layer, row, column]),
  }),
);
