import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { factsFromConfig } from "#engine/architecture/decoder/factsFromConfig.ts";
import { describeDecoder } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { findMlps } from "#engine/superweight/evidence/mlps.ts";
import { KeystoneError } from "#shared/errors.ts";

/**
 * A model whose equations are not known, as far as an export tensor by tensor asks for it: names of embedding, head and each layer's
 * MLP output projection.
 */
export function listedModel(checkpoint: Checkpoint): Architecture {
  const { config, tensors } = checkpoint;
  const named = (role: "embedding" | "head"): string =>
    [...tensors.values()].find((tensor) => tensor.role === role)?.name ?? "";
  const embedTensor = named("embedding");
  const downs = new Map(findMlps(checkpoint).map(({ layer, down }) => [layer, down]));
  /** @throws KeystoneError architecture/unknown */
  const refuse = (): never => {
    describeDecoder(config);
    throw new TypeError("a model whose equations are known was only listed");
  };
  return {
    facts: factsFromConfig(config),
    ...{ embedTensor, headTensor: named("head") || embedTensor, outerTensors: [], kinds: [] },
    downProjection: (layer) => downs.get(layer) ?? noDown(layer),
    get description() {
      return refuse();
    },
    ...{ kindOf: refuse, layerTensors: refuse, smoothGroups: refuse, addsDownOutput: refuse },
    ...{ positionTables: refuse, mask: refuse, layerGraph: refuse, headGraph: refuse, judgeGraph: refuse },
    ...{ scoreGraph: refuse, decoderGraph: refuse },
    ...{ expertsOf: refuse, expertTensors: refuse, expertGraph: refuse },
  };
}

function noDown(layer: number): never {
  throw new KeystoneError(
    "recipe/no-such-weight",
    `No output projection of an MLP is known in layer ${layer} of this model, whose equations Keystone does not have.`,
    "Leave that weight out of restore.",
    { layer },
  );
}
