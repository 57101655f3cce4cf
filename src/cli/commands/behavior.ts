import { basename } from "node:path";

import {
  collectActivations,
  type CollectOptions,
  type ResponseActivations,
} from "../../behavior/activations.ts";
import { behaviorReportPath, writeBehavior } from "../../behavior/behavior-file.ts";
import { type Behavior, computeBehavior, type BehaviorOptions } from "../../behavior/behavior.ts";
import { WEIGHTINGS } from "../../behavior/mean-difference.ts";
import { PROBES, type Probe } from "../../behavior/probe-kind.ts";
import { MEASURES } from "../../behavior/response-measures.ts";
import { trainProbe } from "../../behavior/train-probe.ts";
import type { Engine } from "../../engine/engine.ts";
import { openEngine } from "../../engine/open-engine.ts";
import { readResponsePairs, type ResponsePair } from "../../pairs/response-pairs.ts";
import { formatBehavior, listBehaviorWarnings } from "../../verbs/show/behavior.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { ENGINE_FLAGS, readEngineOptions } from "../engine-flags.ts";
import { parseLayers, resolveLayers } from "../layers.ts";
import { clearNuisances, readNuisances } from "../nuisance-flags.ts";
import { checkOutputFiles } from "../output-files.ts";
import { resolveRemote } from "../pair-flags.ts";
import { onlyPositional, requiredText } from "../required.ts";

/** More draws sharpen nothing; with 5,000 prompts this many bootstrap replicates take 200 MB. */
const MAX_DRAWS = 10_000;
/** For each layer this many null directions of 4096 dimensions take 16 MB in the file. */
const MAX_NULL_DIRECTIONS = 1024;

export const behaviorCommand: Command = {
  name: "behavior",
  summary: "Behaviour vectors of response pairs, with their stability",
  positionals: "RESPONSES",
  description: `
RESPONSES holds one response pair a line: {"id", "prompt", "before", "after", "scenario"?}. The after-response shows the
behaviour, the before-response does not. Both are read on the same checkpoint, the one before preference training.

The behaviour vector of a layer is the mean over pairs of after minus before, each the mean activation over the tokens of
the response. Layer l is the residual stream after l blocks; layer 0 is the embedding output.

FILE.safetensors holds direction.<l>, direction_scenario.<l>, bank.<l> (one vector per scenario) and null.<l>; FILE.json
the diagnostics. For each layer is printed:
  length       of the vector, and its share of the length of the before-responses' activations
  split-half   cosine between the vectors of two random halves of the prompts: mean and 95% of the splits
  reliability  the cosine to expect with a vector of as many new prompts (Spearman-Brown)
  bootstrap    cosine between the vector and its replicates with the prompts resampled: mean and 95% interval
  null p       how often random signs, one for each prompt, give a vector as long
  one-out      mean cosine of a pair's difference with the vector of all other prompts
  separation   length over the 95% quantile of the lengths under random signs: above 1 it stands out
  AUROC        on held-out prompts, how often an after-response scores above a before-response, with its 95% interval
A vector is called stable where split-half is at least 0.5 and null p below 0.05; a warning names the layers where it is not.

One layer is chosen, for culprit rank --layers auto: of the stable layers above 0 whose AUROC reaches the lower end of the
best one's interval, the one with the largest split-half cosine. culprit steer measures what steering does at each layer, and
chooses in the same way among those whose direction causes the behaviour.

--probe logistic trains an L2 logistic regression on the responses, its penalty chosen by cross-validation over prompts; lda
whitens the mean difference by the covariance within before- and after-responses. Split-half is then that of the trained
direction, over 20 splits; bootstrap and one-out are not measured.

--orthogonal-to takes directions out of all activations first: other behaviour files made at the same layers, or
${MEASURES.join(", ")} (estimated from how the responses
of one side differ among themselves).

  culprit behavior responses.jsonl --checkpoint ./sft --layers 8,10,12 --out complies.safetensors`,
  flags: {
    ...ENGINE_FLAGS,
    layers: {
      type: "string",
      value: "LIST",
      describe: "Layers: numbers and ranges like 8,10-12, or all.",
    },
    out: {
      type: "string",
      value: "FILE",
      describe: "The behaviour file to write, ending in .safetensors.",
    },
    force: { type: "boolean", describe: "Replace existing output files." },
    name: {
      type: "string",
      value: "NAME",
      describe: "The behaviour's name; default the name of --out without its ending.",
    },
    weighting: {
      type: "string",
      value: "KIND",
      describe:
        "What counts the same: every response pair (rollout, default) or every scenario (scenario). Both are written; the diagnostics and later commands take this one.",
    },
    probe: {
      type: "string",
      value: "KIND",
      describe: "mean-difference (default), logistic or lda.",
    },
    "orthogonal-to": {
      type: "string",
      value: "LIST",
      multiple: true,
      describe:
        "Directions to project out: behaviour files and measures of the response. Default: none.",
    },
    "max-tokens": {
      type: "string",
      value: "N",
      describe:
        "Prompt and response together, in tokens; longer responses are cut. Default 2048, or fewer where the checkpoint has fewer positions.",
    },
    splits: {
      type: "string",
      value: "N",
      describe: "Random halves, and as many bootstrap replicates; default 200.",
    },
    null: {
      type: "string",
      value: "N",
      describe: "Random sign flips for null p; default 200.",
    },
    "null-directions": {
      type: "string",
      value: "N",
      describe: "Null directions to keep for ranking; default 64.",
    },
    seed: {
      type: "string",
      value: "N",
      describe: "Seed of splits, replicates and signs; default 0.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  // Everything that can be wrong with the words is found before the checkpoint is loaded.
  const file = onlyPositional(args, "behavior", "one file of response pairs");
  const checkpoint = requiredText(args, "behavior", "checkpoint");
  const out = requiredText(args, "behavior", "out");
  const selection = parseLayers(requiredText(args, "behavior", "layers"));
  const maxTokens = args.integer("max-tokens", { min: 2 });
  const behaviorOptions = readBehaviorOptions(args, out);
  const probe = args.choice("probe", PROBES) ?? "mean-difference";
  const nuisances = await readNuisances(args.list("orthogonal-to"));
  const engineOptions = readEngineOptions(args, context);
  checkOutputFiles([out, behaviorReportPath(out)], {
    isForced: args.has("force"),
    inputs: [file, ...args.list("orthogonal-to")],
  });

  const responses = await readResponsePairs(file, {
    signal: context.signal,
    resolveRemote: resolveRemote(context),
  });
  for (const [column, rows] of Object.entries(responses.ignoredColumns)) {
    context.log(`${file}: column "${column}" (${rows} rows) is not used`);
  }
  await using engine = await openEngine(checkpoint, engineOptions);
  const activations = await collect(engine, responses.pairs, context, {
    layers: resolveLayers(selection, engine.identity.layerCount),
    maxTokens,
  });
  const cleared = clearNuisances(activations, nuisances, responses.pairs, context);
  const behavior = await train(cleared, behaviorOptions, probe, context);
  const report = await writeBehavior(out, behavior, responses);
  context.print(args.has("json") ? JSON.stringify(report, undefined, 2) : formatBehavior(report));
  for (const line of listBehaviorWarnings(report)) context.warn(line);
}

async function collect(
  engine: Engine,
  pairs: readonly ResponsePair[],
  context: CommandContext,
  options: CollectOptions,
): Promise<ResponseActivations> {
  const progress = context.progress("embed", "response pairs");
  try {
    return await collectActivations(engine, pairs, {
      ...options,
      progress,
      signal: context.signal,
    });
  } finally {
    progress.end();
  }
}

async function train(
  activations: ResponseActivations,
  options: BehaviorOptions,
  kind: Probe,
  context: CommandContext,
): Promise<Behavior> {
  const behavior = computeBehavior(activations, options);
  if (kind === "mean-difference") return behavior;
  const progress = context.progress("train", "layers");
  try {
    const job = { progress, signal: context.signal };
    return await trainProbe(behavior, activations, { kind, ...job });
  } finally {
    progress.end();
  }
}

function readBehaviorOptions(args: ParsedArguments, out: string): BehaviorOptions {
  return {
    name: args.text("name") ?? basename(behaviorReportPath(out), ".json"),
    weighting: args.choice("weighting", WEIGHTINGS) ?? "rollout",
    splits: args.integer("splits", { min: 1, max: MAX_DRAWS }) ?? 200,
    flips: args.integer("null", { min: 1, max: MAX_DRAWS }) ?? 200,
    nullDirections: args.integer("null-directions", { min: 0, max: MAX_NULL_DIRECTIONS }) ?? 64,
    seed: args.integer("seed") ?? 0,
  };
}
