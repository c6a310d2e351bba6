import { Command } from "commander";
import { DIFF_WORDS, diffSentence, type DiffReport, type TensorDiff } from "#shared/diff.ts";
import { absolute } from "../session/files.ts";
import { withCommonOptions, type CommonOptions } from "../session/options.ts";
import { duration, fixed } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";

interface DiffOptions extends CommonOptions {
  all?: boolean;
}

/** `diff A B`: two checkpoints of any two formats, tensor by tensor. */
export function diffCommand(context: CommandContext): Command {
  const command = new Command("diff")
    .description(
      "set two checkpoints side by side: tensors that only one has, shapes, types, and how far the values are apart",
    )
    .argument("<a>", "folder or GGUF file of the reference")
    .argument("<b>", "folder or GGUF file of the other, in any format that opens")
    .option("--all", "list equal tensors too (default: those that differ; --json has all)");
  return withCommonOptions(command).action((a: string, b: string, options: DiffOptions) =>
    context.session(options, async (session) => {
      const { job } = await session.studio.call("job:diff", {
        a: absolute(session.io, a),
        b: absolute(session.io, b),
      });
      const { report } = await session.result(job, "diff");
      session.print(report, () => diffText(report, options.all === true));
    }),
  );
}

function diffText(report: DiffReport, all: boolean): string {
  const { a, b, tensors, pooled } = report;
  const shown = all ? tensors : tensors.filter(({ status }) => status !== "equal");
  const head = `A  ${a.name}  ${a.path}\nB  ${b.name}  ${b.path}\n\n`;
  const sum =
    pooled.relativeRms === null || pooled.relativeRms === 0
      ? ""
      : `Together: largest difference ${small(pooled.maxAbs)}, relative RMS ${small(pooled.relativeRms)}, SQNR ${fixed(pooled.sqnrDb, 2)} dB. `;
  const table =
    shown.length === 0
      ? ""
      : `${textTable(
          [
            { title: "tensor" },
            { title: "" },
            { title: "A" },
            { title: "B" },
            { title: "max |a − b|", align: "right" },
            { title: "relative RMS", align: "right" },
            { title: "SQNR dB", align: "right" },
          ],
          shown.map(rowOf),
        )}\n`;
  return `${head}${table}${diffSentence(report)}. ${sum}${duration(report.seconds)}.\n`;
}

function rowOf(tensor: TensorDiff): string[] {
  const { name, status, a, b, maxAbs, relativeRms, sqnrDb, notFinite } = tensor;
  const side = (one: TensorDiff["a"]): string => (one ? `${one.storedAs} ${one.shape.join("×")}` : "–");
  const missing = notFinite ? "not finite" : "–";
  return [
    name,
    DIFF_WORDS[status],
    side(a),
    side(b),
    maxAbs === null ? missing : small(maxAbs),
    relativeRms === null ? missing : small(relativeRms),
    status === "equal" ? "equal" : sqnrDb === null ? missing : fixed(sqnrDb, 2),
  ];
}

/** Four significant digits, whatever the magnitude. */
function small(value: number | null): string {
  if (value === null) return "–";
  return value === 0 ? "0" : value.toPrecision(4);
}
