import { MAX_SAID } from "../endpoint/describe-counts.ts";
import { writeVerdicts } from "../judge/verdict.ts";
import { readAbsentRollouts, rolloutManifestPath } from "../rollouts/rollout-manifest.ts";
import { checkRolloutOutput } from "../rollouts/rollout-sink.ts";
import { commonestFirst } from "../util/commonest-first.ts";
import { type CulpritError, RuntimeError } from "../util/errors.ts";
import { printable } from "../util/text-table.ts";
import { formatSampledHere, type SampledHere, sampleHere } from "./generate/sample-here.ts";
import {
  estimateSampling,
  formatSampledThere,
  formatSamplingEstimate,
  type SampledThere,
  sampleThere,
} from "./generate/sample-there.ts";
import { generateSettings, wayContradictions } from "./generate/settings.ts";
import { warnOfEndpoint } from "./generate/warn-of-endpoint.ts";
import { type Checkpoint, checkpointInput, checkpointSettings } from "./inputs/checkpoint.ts";
import { promptsInput } from "./inputs/prompts.ts";
import { priceContradictions } from "./judging/open-asker.ts";
import { answersOutput, fileNamed } from "./outputs.ts";
import { samplingContradictions } from "./settings/sampling.ts";
import { tokenSettings } from "./settings/tokens.ts";
import { tooManyMissing } from "./show/llm-usage.ts";
import { defineVerb, type Input } from "./verb.ts";

/** Sampling takes one token of each response at a time. */
const sampledSettings = checkpointSettings.omit({
  batchTokens: true,
  boundary: true,
  ignoreUnread: true,
});

const beforeSettings = sampledSettings.omit({ adapter: true }).extend({
  amplifyBeforeAdapter: checkpointSettings.shape.adapter.meta({
    description: "A LoRA adapter to merge into the checkpoint before. Absent: none.",
    placeholder: "DIR",
  }),
});

export const generate = defineVerb({
  name: "generate",
  summary: "Responses sampled from a checkpoint, into a rollout file",
  about: `
PROMPTS is a scenarios file (JSONL, JSON or YAML with {"id", "base", "distractor"?}) or rows {"prompt": text or messages, "id"?}.
Preference pairs of any shape are prompts too; --draw takes some of them by chance. Each prompt is rendered with the checkpoint's
chat template and continued --rollouts times.

A sample depends on --seed, the prompt and the sample's number, not on what runs beside it. The rollouts come in the order of the
prompts; beside the file stands its manifest, FILE.json. An interrupted run goes on when the same command is given again, and
ends with the same bytes; other settings are refused. A sample ends with a stop token, after --max-tokens, or where the context
is full.

With --amplify A the samples come from logits + A·(logits − logits of --amplify-before): what training changed, made larger, so
that behaviour too rare to sample shows. Their rates are not those of the checkpoint.

With --base-url in place of --checkpoint the samples come from an OpenAI-compatible endpoint, one for each checkpoint. Every
answer is kept before it counts, so nothing is asked twice; samples that fail are counted with the cause and left out, and the
same command asks for them again. culprit import takes responses that you have.

  culprit generate scenarios.yaml --checkpoint ./dpo --variants base,base+distractor --out after.jsonl
  culprit generate scenarios.yaml --base-url http://localhost:8000/v1 --model dpo --out after.jsonl
  culprit generate prompts.jsonl --checkpoint ./sft --rollouts 1 --temperature 0 --out greedy.jsonl
  culprit generate prompts.jsonl --checkpoint ./dpo --amplify 1 --amplify-before ./sft --out amplified.jsonl`,
  version: 9,
  inputs: {
    prompts: promptsInput,
    checkpoint: {
      ...checkpointInput,
      settings: sampledSettings,
      describe: "What to sample from: a Hugging Face folder, or hf://owner/name@revision.",
      isOptional: true,
    },
    amplifyBefore: {
      ...checkpointInput,
      settings: beforeSettings,
      describe: "With amplify: the checkpoint before training, with the same tokenizer.",
      isOptional: true,
      open: (paths, { amplifyBeforeAdapter: adapter, ...options }, work) =>
        checkpointInput.open(paths, { ...tokenSettings.parse({}), ...options, adapter }, work),
    } as const satisfies Input<Checkpoint, typeof beforeSettings>,
  },
  settings: generateSettings,
  check: (settings, given) => [
    ...wayContradictions(settings, given),
    ...samplingContradictions(settings),
    ...priceContradictions(settings.endpoint, ["endpoint"]),
  ],
  outputs: {
    out: {
      artifact: {
        name: "rollouts.jsonl",
        files: (path) => [path, rolloutManifestPath(path)],
      },
      placeholder: "FILE",
      describe: "The rollout file, .jsonl or .parquet.",
      isResumable: true,
    },
    answers: answersOutput("rollout-answers.jsonl", "endpoint"),
    absent: {
      artifact: fileNamed("absent.jsonl"),
      placeholder: "FILE",
      describe: "The samples that an endpoint did not give, with the cause, as missing verdicts.",
      isOptional: true,
    },
  },
  force:
    "Start over where the file, or part of it, is there. Of the answers kept it takes what this endpoint, its address and model, answered to the same requests, and asks again for samples whose answer had no text; remove their file to ask all of them again.",
  // Says of which checkpoint they are: the same responses of another one are judged alike.
  asides: [rolloutManifestPath("rollouts.jsonl")],
  canResume: true,
  run: async (
    { prompts, checkpoint, amplifyBefore: before },
    settings,
    work,
  ): Promise<SampledHere | SampledThere> => {
    const { out, answers, absent } = work.out;
    checkRolloutOutput(out);
    if (checkpoint !== undefined) {
      return sampleHere(prompts, { checkpoint, before }, settings, { ...work, out });
    }
    const result = await sampleThere(prompts, settings, { ...work, out, answers });
    // The manifest says the same, and does not count as a stage's result: it has the endpoint's address.
    if (absent !== undefined) await writeVerdicts(absent, await readAbsentRollouts(out));
    return result;
  },
  show: (result) => ("manifest" in result ? formatSampledHere(result) : formatSampledThere(result)),
  warnings: (result) => {
    if ("manifest" in result) {
      const { checkpoint, sampling } = result.manifest;
      if (sampling.stopTokens.length > 0) return [];
      return [
        `${checkpoint} names no token that ends a response: every sample has the full length; see --stop`,
      ];
    }
    return warnOfEndpoint(result);
  },
  fault: (result) =>
    "manifest" in result ? undefined : (noRollouts(result) ?? tooFewRollouts(result)),
  estimate: {
    of: ({ prompts }, settings, { out, isForced }) =>
      estimateSampling(prompts, settings, { answers: out.answers, isForced }),
    show: formatSamplingEstimate,
  },
});

/** The error where there is nothing to go on with. */
function noRollouts({ out, rollouts, failed, said }: SampledThere): CulpritError | undefined {
  if (rollouts > 0) return undefined;
  const list = Object.entries(failed).map(([cause, count]) => `${count} ${printable(cause)}`);
  // Of what most samples failed by: a refusal that was worked round is no cause.
  const causes = Object.keys(commonestFirst(new Map(Object.entries(failed))));
  const words = causes.map((cause) => said[cause]).find((each) => each !== undefined);
  return new RuntimeError(`${out}: expected rollouts, got none (${list.join("; ")})`, {
    hint: `${words === undefined ? "" : `The server's first words: ${printable(words, MAX_SAID)}. `}See what fails, then give the same command again: it asks for what got no answer. Answers that are filtered or without text are paid for and kept: --force asks again for those without text.`,
  });
}

/** The error where more are missing than may be. */
function tooFewRollouts({ rollouts, failed, maxMissing }: SampledThere): CulpritError | undefined {
  const missing = Object.values(failed).reduce((sum, count) => sum + count, 0);
  return tooManyMissing(
    { missing, wanted: rollouts + missing, maxMissing },
    "endpoint.maxMissing",
    "The file has what came. The same command asks again for what got no answer, and --force for answers without a text; a larger share takes the rollouts as they are.",
  );
}
