import { existsSync } from "node:fs";

import { expectSameContent } from "../judge/human-labels.ts";
import { placeOf, rolloutContent } from "../judge/judge.ts";
import { promptText } from "../judge/rubric-request.ts";
import { stratifiedSample } from "../judge/stratified-sample.ts";
import { isMissing, readVerdicts, type Verdict, writeVerdicts } from "../judge/verdict.ts";
import { groupedRollouts } from "../rates/scenario-groups.ts";
import { readRollouts, type Rollout } from "../rollouts/rollouts.ts";
import { ConfigError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { printable } from "../util/text-table.ts";
import type { CommandContext, FlagSpec, ParsedArguments } from "./command.ts";
import { requiredText } from "./required.ts";
import { type ReviewAnswer, type ReviewScreen, reviewSession } from "./review-session.ts";

/** Flags of `culprit judge --review`. */
export const REVIEW_FLAGS = {
  review: { type: "boolean", describe: "Label a sample of the rollouts by hand, in the terminal." },
  behavior: {
    type: "string",
    value: "TEXT",
    describe:
      'What "shows" means, in words that follow "the response". With --labels and --review.',
  },
  sample: { type: "string", value: "N", describe: "Rollouts to review. Default: 100." },
  stratify: {
    type: "string",
    value: "VERDICTS",
    describe:
      "Give each label of these verdicts its share of the sample, in each variant. Default: each variant.",
  },
  seed: { type: "string", value: "N", describe: "Seed of the sample. Default: 0." },
} as const satisfies Record<string, FlagSpec>;

const DEFAULT_SAMPLE = 100;
const REVIEWER = "human";
const SKIPPED = "skipped by the reviewer";

/** Lets a person label a sample; labels are written after every key, and the same command goes on where it stopped. */
export async function review(
  args: ParsedArguments,
  { path, out }: { readonly path: string; readonly out: string },
  screen: ReviewScreen,
  context: CommandContext,
): Promise<{ readonly labelled: number; readonly of: number }> {
  const behavior = requiredText(args, "judge", "behavior");
  const earlier = await readEarlier(out);
  const answers = new Map(earlier.map((each) => [each.rollout, answerOf(each)]));
  const rollouts = await drawSample(args, path, context);
  const sampled = new Set(rollouts.map(({ id }) => id));
  expectSameRollouts(earlier, rollouts);
  const others = earlier.filter(({ rollout }) => !sampled.has(rollout));
  if (others.length > 0) {
    context.warn(
      `${out}: ${others.length} labels of rollouts that are not in this sample are kept; rates rest on one sample, so judge with the same --sample, --seed and --stratify`,
    );
  }
  const save = (): Promise<void> =>
    writeVerdicts(out, [...others, ...toVerdicts(rollouts, answers)]);
  await reviewSession(screen, {
    items: rollouts.map(({ id, prompt, response }) => ({
      id,
      prompt: promptText(prompt),
      response,
    })),
    answers,
    behavior,
    save,
  });
  const labelled = rollouts.filter(({ id }) => answers.has(id)).length;
  return { labelled, of: rollouts.length };
}

/** The labels of an earlier session. Throws ConfigError where the file is another judge's. */
async function readEarlier(out: string): Promise<readonly Verdict[]> {
  if (!existsSync(out)) return [];
  const verdicts = await readVerdicts(out);
  const other = verdicts.find(({ judge }) => judge !== REVIEWER);
  if (other === undefined) return verdicts;
  throw new ConfigError(
    `${out}: expected the labels of an earlier --review, got verdicts of ${printable(other.judge ?? "nobody")}`,
    { hint: "Choose another --out; --stratify takes another judge's verdicts." },
  );
}

/** Throws ConfigError where earlier labels are of other rollouts with the same ids. */
function expectSameRollouts(earlier: readonly Verdict[], rollouts: readonly Rollout[]): void {
  const contents = new Map(rollouts.map((each) => [each.id, rolloutContent(each)]));
  for (const verdict of earlier) {
    expectSameContent(verdict.rollout, verdict, contents.get(verdict.rollout));
  }
}

const answerOf = (verdict: Verdict): ReviewAnswer =>
  isMissing(verdict) ? "skipped" : verdict.label;

async function drawSample(
  args: ParsedArguments,
  path: string,
  context: CommandContext,
): Promise<readonly Rollout[]> {
  const size = args.integer("sample", { min: 1, max: 100_000 }) ?? DEFAULT_SAMPLE;
  const rng = createRng(args.integer("seed", { min: 0 }) ?? 0);
  const stratify = args.text("stratify");
  const said = new Map(
    stratify === undefined
      ? []
      : (await readVerdicts(stratify)).map((each) => [each.rollout, labelOf(each)]),
  );
  const items: { id: string; stratum: string }[] = [];
  for await (const { id, variant } of readRollouts(path, context)) {
    items.push({ id, stratum: JSON.stringify([variant, said.get(id) ?? ""]) });
  }
  const ids = stratifiedSample(items, size, rng);
  const chosen = new Map(ids.map((id) => [id, undefined as Rollout | undefined]));
  for await (const rollout of groupedRollouts(() => readRollouts(path, context))) {
    if (chosen.has(rollout.id)) chosen.set(rollout.id, rollout);
  }
  return [...chosen.values()].filter((each) => each !== undefined);
}

const labelOf = (verdict: Verdict): string => (isMissing(verdict) ? "missing" : verdict.label);

function toVerdicts(
  rollouts: readonly Rollout[],
  answers: ReadonlyMap<string, ReviewAnswer>,
): Verdict[] {
  return rollouts.flatMap((rollout): Verdict[] => {
    const answer = answers.get(rollout.id);
    if (answer === undefined) return [];
    const place = placeOf(rollout, REVIEWER);
    return [answer === "skipped" ? { ...place, missing: SKIPPED } : { ...place, label: answer }];
  });
}
