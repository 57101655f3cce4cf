import { openEngine } from "../../engine/local-host.ts";
import { generateRollouts, type GenerateRolloutsResult } from "../../rollouts/generate-rollouts.ts";
import { rolloutManifestPath } from "../../rollouts/rollout-manifest.ts";
import { checkRolloutOutput, removeRollouts } from "../../rollouts/rollout-sink.ts";
import { AMPLIFY_FLAGS, amplifyOption, openBefore, readAmplify } from "../amplify-flags.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { ENDPOINT_FLAGS } from "../endpoint-flags.ts";
import { MODEL_FLAGS, readModelOptions } from "../engine-flags.ts";
import { expectFlagsOfWay, expectOneFlag } from "../flag-ways.ts";
import { expectJsonLines, generateByEndpoint, importByCommand } from "../generate-endpoint.ts";
import { expectOtherFiles } from "../output-files.ts";
import { onlyPositional, requiredText } from "../required.ts";
import { PROMPT_FLAGS, readPrompts, readSampling, SAMPLING_FLAGS } from "../sampling-flags.ts";

export const generateCommand: Command = {
  name: "generate",
  summary: "Responses sampled from a checkpoint, into a rollout file",
  positionals: "PROMPTS",
  description: `
PROMPTS is a scenarios file (JSONL, JSON or YAML with {"id", "base", "distractor"?}) or rows {"prompt": text or messages, "id"?}.
Each prompt is rendered with the checkpoint's chat template and continued --samples times.

A sample depends on --seed, the prompt and the sample's number, not on what runs beside it. The rollouts come in the order of the
prompts; beside the file stands its manifest, FILE.json. An interrupted run goes on when the same command is given again, and
ends with the same bytes; other settings are refused. A sample ends with a stop token, after --max-new-tokens, or where the
context is full.

With --amplify A the samples come from logits + A·(logits − logits of --amplify-before): what training changed, made larger, so
that behaviour too rare to sample shows. Their rates are not those of the checkpoint.

With --base-url in place of --checkpoint the samples come from an OpenAI-compatible endpoint, one for each checkpoint. Every
answer is kept in OUT.answers.jsonl before it counts, so nothing is asked twice; samples that fail are counted with the cause and
left out, and the same command asks for them again.

  culprit generate scenarios.yaml --checkpoint ./dpo --variants base,base+distractor --samples 20 --out after.jsonl
  culprit generate scenarios.yaml --base-url http://localhost:8000/v1 --model dpo --samples 20 --out after.jsonl
  culprit generate prompts.jsonl --checkpoint ./sft --temperature 0 --out greedy.jsonl
  culprit generate prompts.jsonl --checkpoint ./dpo --amplify 1 --amplify-before ./sft --out amplified.jsonl`,
  flags: {
    ...MODEL_FLAGS,
    checkpoint: {
      type: "string",
      value: "DIR",
      describe: "What to sample from: a Hugging Face folder, or hf://owner/name@revision.",
    },
    out: { type: "string", value: "FILE", describe: "The rollout file, .jsonl or .parquet." },
    ...PROMPT_FLAGS,
    ...SAMPLING_FLAGS,
    ...AMPLIFY_FLAGS,
    ...ENDPOINT_FLAGS,
    import: {
      type: "boolean",
      describe:
        'Sample nothing: PROMPTS has rows {"prompt", "response" or "responses"} of another program.',
    },
    force: {
      type: "boolean",
      describe:
        "Start over where the file, or part of it, is there. Of OUT.answers.jsonl it takes what this endpoint, its address and model, answered to the same requests, and asks again for samples whose answer had no text; remove that file to ask all of them again.",
    },
  },
  run,
};

/** Flags of sampling that endpoints do not take. */
const LOCAL_SAMPLING: ReadonlySet<string> = new Set(["top-k", "stop", "batch"]);

type Way = "checkpoint" | "base-url" | "import";

/** Throws ConfigError unless the flags are those of one way of getting rollouts. */
function expectOneWay(args: ParsedArguments): Way {
  const chosen = expectOneFlag(args, "generate", ["checkpoint", "base-url", "import"]);
  const sampled = Object.keys({ ...PROMPT_FLAGS, ...SAMPLING_FLAGS });
  const flags: Record<Way, readonly string[]> = {
    checkpoint: [...sampled, ...Object.keys({ ...MODEL_FLAGS, ...AMPLIFY_FLAGS })],
    "base-url": [
      ...sampled.filter((flag) => !LOCAL_SAMPLING.has(flag)),
      ...Object.keys(ENDPOINT_FLAGS),
    ],
    import: [],
  };
  expectFlagsOfWay(
    args,
    Object.entries(flags).map(([name, own]) => ({
      name: `--${name}`,
      isOn: name === chosen,
      flags: own,
    })),
  );
  return chosen;
}

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  // Everything that can be wrong with the words is found before the checkpoint is loaded.
  const path = onlyPositional(args, "generate", "one file of prompts or scenarios");
  const out = requiredText(args, "generate", "out");
  expectOtherFiles([out, rolloutManifestPath(out)], [path]);
  const way = expectOneWay(args);
  const isEndpoint = way === "base-url";
  if (way === "import") return importByCommand(args, { path, out }, context);
  if (isEndpoint) expectJsonLines(out);
  const sampling = readSampling(args);
  const amplifying = readAmplify(args);
  checkRolloutOutput(out);
  if (isEndpoint) {
    const prompts = await readPrompts(args, path, context);
    if (args.has("force")) await removeRollouts(out);
    return generateByEndpoint(args, { prompts, out, sampling }, context);
  }
  const checkpoint = requiredText(args, "generate", "checkpoint");
  const engineOptions = readModelOptions(args, context);
  const prompts = await readPrompts(args, path, context);
  await using engine = await openEngine(checkpoint, engineOptions);
  await using before = await openBefore(amplifying, engineOptions);
  const more = args.texts("stop").map((text) => engine.tokenId(text));
  if (args.has("force")) await removeRollouts(out);
  const startMs = performance.now();
  const result = await generateRollouts(engine, prompts, {
    ...sampling,
    ...amplifyOption(engine, { before, settings: amplifying }, context),
    out,
    stopTokens: [...engine.stopTokens, ...more],
    signal: context.signal,
    progress: context.progress("generate", "rollouts"),
  });
  const seconds = (performance.now() - startMs) / 1000;
  const { stopTokens } = result.manifest.sampling;
  if (stopTokens.length === 0) {
    context.warn(
      `${checkpoint} names no token that ends a response: every sample has the full length; see --stop`,
    );
  }
  context.print(
    args.has("json")
      ? JSON.stringify({ out, seconds, ...result }, undefined, 2)
      : formatResult(out, result, seconds),
  );
}

function formatResult(out: string, result: GenerateRolloutsResult, seconds: number): string {
  const { rollouts, resumedRollouts, work, manifest } = result;
  const rate = work.sampledTokens / seconds;
  return [
    `${out}: ${rollouts} rollouts of ${manifest.prompts} prompts, manifest ${rolloutManifestPath(out)}`,
    ...(resumedRollouts > 0 ? [`${resumedRollouts} rollouts were there already`] : []),
    `${work.sampledTokens} tokens sampled in ${seconds.toFixed(1)} s (${rate.toFixed(1)} tokens/s), ${work.promptTokens} prompt tokens`,
  ].join("\n");
}
