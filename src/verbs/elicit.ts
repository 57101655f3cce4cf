import { RESPONSES, writeResponsePairs } from "../pairs/response-pairs.ts";
import { pairElicited, type Elicited, withSystem } from "../rollouts/elicited-pairs.ts";
import { rolloutManifestPath } from "../rollouts/rollout-manifest.ts";
import { checkRolloutOutput } from "../rollouts/rollout-sink.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import { count, nonEmpty } from "../util/setting-kinds.ts";
import { sampleHere } from "./generate/sample-here.ts";
import { generateSettings } from "./generate/settings.ts";
import { checkpointInput, checkpointSettings } from "./inputs/checkpoint.ts";
import { promptsInput } from "./inputs/prompts.ts";
import { samplingContradictions } from "./settings/sampling.ts";
import { defineVerb, need, type Output } from "./verb.ts";

const sampledSettings = checkpointSettings.omit({
  batchTokens: true,
  boundary: true,
  ignoreUnread: true,
});

const rolloutsBeside = (side: string) =>
  ({
    artifact: {
      name: `${side}.jsonl`,
      files: (path: string) => [path, rolloutManifestPath(path)],
    },
    placeholder: "FILE",
    describe: `The rollouts under the ${side} system prompt. Absent: beside out.`,
    beside: (out: string) => `${out.replace(/\.jsonl$/, "")}.${side}.jsonl`,
    isOptional: true,
    isResumable: true,
  }) as const satisfies Output;

/** What came of it. */
type ElicitResult = Pick<Elicited, "same" | "empty"> & {
  readonly pairs: number;
  readonly prompts: number;
};

export const elicit = defineVerb({
  name: "elicit",
  summary:
    "Response pairs for a behaviour that two sentences describe, sampled from one checkpoint",
  about: `
As persona vectors are made (arXiv 2507.21509): the checkpoint before training (M0) answers PROMPTS under a system prompt that
asks for the behaviour, and under one that asks for the contrary. --out has the answers as response pairs, the asked-for one as
after, for culprit behavior and culprit forecast. No training and no second checkpoint is needed.

The pairs hold the prompts without the system prompts, so that culprit behavior reads what is said and not what was asked of it.
Nothing checks that an answer obeys its system prompt: read some, and see that culprit behavior finds the vector stable.

  culprit elicit prompts.jsonl --checkpoint ./sft --asked "Always apologise first." --contrary "Never apologise." \\
    --out apologises.jsonl`,
  version: 1,
  inputs: { prompts: promptsInput, checkpoint: { ...checkpointInput, settings: sampledSettings } },
  settings: generateSettings.omit({ amplify: true, endpoint: true, rollouts: true }).extend({
    asked: nonEmpty.describe("System prompt that asks for the behaviour."),
    contrary: nonEmpty.describe("System prompt that asks for the contrary."),
    rollouts: count
      .max(10_000)
      .default(4)
      .describe("Responses sampled for each prompt under each system prompt."),
  }),
  check: ({ asked, contrary, ...sampling }) => [
    ...samplingContradictions(sampling),
    ...need(
      asked !== contrary,
      ["contrary"],
      "expected another system prompt than asked, got the same",
    ),
  ],
  outputs: {
    out: {
      artifact: RESPONSES,
      placeholder: "FILE",
      describe: "The response pairs to write, JSON lines.",
      endings: [".jsonl"],
    },
    askedRollouts: rolloutsBeside("asked"),
    contraryRollouts: rolloutsBeside("contrary"),
  },
  force: "Start over where the files, or parts of them, are there.",
  canResume: true,
  run: async (
    { prompts, checkpoint },
    { asked, contrary, ...sampling },
    work,
  ): Promise<ElicitResult> => {
    const { out, askedRollouts, contraryRollouts } = work.out;
    if (askedRollouts === undefined || contraryRollouts === undefined) {
      throw new Error("internal: rollouts without a place beside out");
    }
    for (const [system, path] of [
      [asked, askedRollouts],
      [contrary, contraryRollouts],
    ] as const) {
      checkRolloutOutput(path);
      const given = prompts.map((prompt) => withSystem(prompt, system));
      await sampleHere(given, { checkpoint }, sampling, { ...work, out: path });
    }
    const { signal } = work;
    const found = await pairElicited(
      prompts,
      readRollouts(askedRollouts, { signal }),
      readRollouts(contraryRollouts, { signal }),
    );
    await writeResponsePairs(out, found.pairs);
    const { pairs, same, empty } = found;
    return { pairs: pairs.length, prompts: prompts.length, same, empty };
  },
  show: ({ pairs, prompts }, { out }) => `${out}: ${pairs} response pairs of ${prompts} prompts`,
  warnings: ({ same, empty }) => [
    ...(same > 0
      ? [`${same} response pairs left out: both system prompts gave the same answer`]
      : []),
    ...(empty > 0 ? [`${empty} response pairs left out: an answer is empty`] : []),
  ],
});
