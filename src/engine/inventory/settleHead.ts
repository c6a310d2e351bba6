import type { Note } from "#shared/notes.ts";
import { describeDecoder } from "#engine/architecture/readArchitecture.ts";
import type { UnusedReason } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { infoNamed } from "./infoNamed.ts";
import { sameValues } from "./sameValues.ts";

interface NamedTensor {
  readonly stored: string;
  readonly name: string;
  readonly info: TensorInfo;
}

export interface SettledHead {
  readonly config: Readonly<Record<string, unknown>>;
  readonly named: readonly NamedTensor[];
  readonly unused: readonly (readonly [string, UnusedReason])[];
  readonly notes: readonly Note[];
}

/**
 * Which matrix the output head is where the config ties it to the embeddings, as transformers 5 decides it: a copy of the
 * embeddings is left out, another matrix is the head, and one alone is both.
 * @throws KeystoneError checkpoint/read-failed
 */
export async function settleHead(
  files: Checkpoint,
  config: Readonly<Record<string, unknown>>,
  named: readonly NamedTensor[],
): Promise<SettledHead> {
  const decoder = describeDecoder(config);
  const table = decoder.embedding.tensor;
  const head = named.find(({ name }) => name === decoder.head.tensor);
  if (!head || !decoder.head.tied) return { config, named, unused: [], notes: [] };
  const embedding = named.find(({ name }) => name === table);
  const others = named.filter((tensor) => tensor !== head);
  if (!embedding)
    return {
      config,
      named: named.map((tensor) =>
        tensor === head ? { ...head, name: table, info: infoNamed(head.info, table) } : tensor,
      ),
      unused: [],
      notes: [
        {
          code: "head/shared",
          text: `The matrix that embeddings and output head share is stored as "${head.stored}" alone: it is both. transformers 5 reads it so as well; an export has it as "${table}".`,
        },
      ],
    };
  if (await sameValues(files, storedInfo(files, embedding), storedInfo(files, head)))
    return {
      config,
      named: others,
      unused: [
        [
          head.stored,
          { code: "copy-of-embeddings", text: "the head is tied, and this is a copy of the embeddings" },
        ],
      ],
      notes: [],
    };
  return {
    config: { ...config, tie_word_embeddings: false },
    named,
    unused: [],
    notes: [
      {
        code: "head/not-tied",
        text: `config.json ties the output head to the embeddings, but "${head.stored}" holds other values: it is the head, as in transformers 5. Earlier versions and vLLM take the embeddings instead. An export says "tie_word_embeddings": false, so that every program takes the same.`,
      },
    ],
  };
}

/** The tensor by its name in the files. */
function storedInfo(files: Checkpoint, { stored, info }: NamedTensor): TensorInfo {
  return files.tensors.get(stored) ?? info;
}
