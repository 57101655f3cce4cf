import { existsSync } from "node:fs";

import { z } from "zod";

import { expectSameContent } from "../../judge/human-labels.ts";
import { placeOf, rolloutContent } from "../../judge/judge.ts";
import { promptText } from "../../judge/rubric-request.ts";
import { stratifiedSample } from "../../judge/stratified-sample.ts";
import { isMissing, readVerdicts, type Verdict, writeVerdicts } from "../../judge/verdict.ts";
import { groupedRollouts } from "../../rates/scenario-groups.ts";
import { readRollouts, type Rollout } from "../../rollouts/rollouts.ts";
import { ConfigError } from "../../util/errors.ts";
import { createRng } from "../../util/rng.ts";
import { count, seed } from "../../util/setting-kinds.ts";
import { printable } from "../../util/text-table.ts";
import { expectFilePlace } from "../../verbs/check-outputs.ts";
import { jsonSchemaOf } from "../../verbs/json-schema.ts";
import { listSettings } from "../../verbs/list-settings.ts";
import { onlyPositional, requiredText } from "../arguments.ts";
import { asJson, type Command, type CommandContext, type ParsedArguments } from "../command.ts";
import { type ReviewAnswer, type ReviewScreen, reviewSession } from "../review-session.ts";
import { openTerminal } from "../review-terminal.ts";
import { readSettings, settingFlags } from "../verb-flags.ts";

const settings = z.strictObject({
  meaning: z.string().min(1).describe('What "shows" means, in words that follow "the response".'),
  sample: count.max(100_000).default(100).describe("Rollouts to review."),
  seed: seed.default(0).describe("Seed of the sample."),
});
const flags = listSettings(jsonSchemaOf(settings));

export const reviewCommand: Command = {
  name: "review",
  summary: "Labels a sample of rollouts by hand, in the terminal",
  positionals: "ROLLOUTS",
  description: `
ROLLOUTS is a file that culprit generate wrote. A sample of them is shown one after the other, and one key a rollout says whether
it shows the behaviour. Labels are written after every key, and the same command goes on where it stopped.

The labels are what culprit judge --labels and culprit agreement --labels take.

  culprit review rollouts.jsonl --meaning "is rude" --stratify verdicts.jsonl --out labels.jsonl`,
  flags: {
    out: { type: "string", value: "FILE", describe: "The labels to write, JSON lines. Required." },
    stratify: {
      type: "string",
      value: "VERDICTS",
      describe:
        "Give each label of these verdicts its share of the sample, in each variant. Default: each variant.",
    },
    ...settingFlags(flags),
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const path = onlyPositional(args, "review", "one file of rollouts");
  const out = requiredText(args, "review", "out");
  const stratify = args.text("stratify");
  expectFilePlace("--out", out, [path, ...(stratify === undefined ? [] : [stratify])]);
  using terminal = openTerminal(process, context.signal);
  const { labelled, of } = await review(args, { path, out }, terminal, context);
  const result = { out, labelled, of };
  context.print(
    args.has("json")
      ? asJson(result)
      : `${labelled} of ${of} rollouts labelled in ${out}${labelled < of ? "; the same command goes on" : ""}`,
  );
}

type Review = z.output<typeof settings> & { readonly stratify: string | undefined };

const REVIEWER = "human";
const SKIPPED = "skipped by the reviewer";

/** Lets a person label a sample; labels are written after every key, and the same command goes on where it stopped. */
export async function review(
  args: ParsedArguments,
  { path, out }: { readonly path: string; readonly out: string },
  screen: ReviewScreen,
  context: CommandContext,
): Promise<{ readonly labelled: number; readonly of: number }> {
  const asked = readSettings(args, "review", settings, flags);
  const earlier = await readEarlier(out);
  const answers = new Map(earlier.map((each) => [each.rollout, answerOf(each)]));
  const rollouts = await drawSample({ ...asked, stratify: args.text("stratify") }, path, context);
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
    behavior: asked.meaning,
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
    `${out}: expected the labels of an earlier review, got verdicts of ${printable(other.judge ?? "nobody")}`,
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
  { sample, seed: drawn, stratify }: Review,
  path: string,
  context: CommandContext,
): Promise<readonly Rollout[]> {
  const rng = createRng(drawn);
  const said = new Map(
    stratify === undefined
      ? []
      : (await readVerdicts(stratify)).map((each) => [each.rollout, labelOf(each)]),
  );
  const items: { id: string; stratum: string }[] = [];
  for await (const { id, variant } of readRollouts(path, context)) {
    items.push({ id, stratum: JSON.stringify([variant, said.get(id) ?? ""]) });
  }
  const ids = stratifiedSample(items, sample, rng);
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
