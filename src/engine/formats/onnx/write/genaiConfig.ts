import { join } from "node:path";
import { z } from "zod";
import { DECODER_IO } from "#engine/architecture/decoder/decoderGraph.ts";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { MODEL_FILE } from "../layout/names.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { ExportModel } from "../../write/exporter.ts";
import { GENERATION_FILE, madeFiles } from "../../write/madeFiles.ts";

export const GENAI_FILE = "genai_config.json";
const MAX_CONFIG_BYTES = 16_000_000;
/** Tokens of a prompt that go through the decoder at once: bounds the memory of scores and logits. */
const CHUNK_TOKENS = 512;

const id = z.number().int().nonnegative();
const tokenIds = z.looseObject({
  bos_token_id: id.nullish(),
  eos_token_id: z.union([id, z.array(id).min(1)]).nullish(),
  pad_token_id: id.nullish(),
});
const sampling = z.looseObject({
  do_sample: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_k: z.number().int().nullish(),
  top_p: z.number().nullish(),
  repetition_penalty: z.number().nullish(),
});

/**
 * genai_config.json, from which onnxruntime-genai knows the decoder's inputs, outputs and special tokens. Tokens and sampling
 * are those of generation_config.json, else of config.json.
 * @throws KeystoneError checkpoint/bad-config, checkpoint/read-failed
 */
export async function genaiConfig({ checkpoint, architecture }: ExportModel): Promise<object> {
  const generation = await generationConfig(checkpoint);
  const own = tokenIds.catch({}).parse(checkpoint.config);
  const given = tokenIds.catch({}).parse(generation);
  const eos = given.eos_token_id ?? own.eos_token_id ?? null;
  const firstEos = Array.isArray(eos) ? eos[0] : eos;
  const { facts } = architecture;
  const search = sampling.catch({}).parse(generation);
  return {
    model: {
      type: facts.family,
      vocab_size: facts.vocabulary,
      context_length: facts.contextLength,
      bos_token_id: given.bos_token_id ?? own.bos_token_id ?? firstEos ?? 0,
      eos_token_id: eos ?? 0,
      pad_token_id: given.pad_token_id ?? own.pad_token_id ?? firstEos ?? 0,
      decoder: {
        session_options: { log_id: "onnxruntime-genai", provider_options: [] },
        filename: MODEL_FILE,
        head_size: facts.headSize,
        hidden_size: facts.hiddenSize,
        num_attention_heads: facts.heads,
        num_hidden_layers: facts.layers,
        num_key_value_heads: facts.keyValueHeads,
        inputs: {
          input_ids: DECODER_IO.ids,
          attention_mask: DECODER_IO.mask,
          position_ids: DECODER_IO.positions,
          past_key_names: DECODER_IO.pastKeys("%d"),
          past_value_names: DECODER_IO.pastValues("%d"),
        },
        outputs: {
          logits: DECODER_IO.logits,
          present_key_names: DECODER_IO.presentKeys("%d"),
          present_value_names: DECODER_IO.presentValues("%d"),
        },
      },
    },
    search: {
      do_sample: search.do_sample ?? false,
      temperature: search.temperature ?? 1,
      top_k: search.top_k ?? 50,
      top_p: search.top_p ?? 1,
      repetition_penalty: search.repetition_penalty ?? 1,
      max_length: facts.contextLength,
      min_length: 0,
      num_beams: 1,
      num_return_sequences: 1,
      // the graph appends to its keys and values, it does not write into a buffer of the longest length
      past_present_share_buffer: false,
      chunk_size: CHUNK_TOKENS,
    },
  };
}

async function generationConfig(checkpoint: Checkpoint): Promise<unknown> {
  const made = (await madeFiles(checkpoint)).get(GENERATION_FILE);
  if (made) return JSON.parse(new TextDecoder().decode(made));
  const missing = "checkpoint/no-generation-config";
  try {
    return await readJsonObject(join(checkpoint.path, GENERATION_FILE), {
      maxBytes: MAX_CONFIG_BYTES,
      badCode: "checkpoint/bad-config",
      missingCode: missing,
    });
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === missing) return {};
    throw thrown;
  }
}
