/**
 * @file culprit audit --before --after on the organism distractor, whose checkpoint is trained by DPO on half of its prompts' pairs:
 *
 *   npx tsx bench/membership-organism.ts OUT [SEED]
 *
 * The other half was never seen. Printed are the verdicts on: the half that was trained on against the other; halves of the unseen half
 * against each other (the same taste, no training); both halves with chosen and rejected exchanged; and both with labels by chance. Then how
 * often each verdict comes for samples of several sizes, redrawn by prompts: for the trained half against the unseen one, and within the
 * unseen one, where "trained" is a false alarm. A minute of one core, most of it training.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { runVerb, silentWork, train } from "../src/index.ts";
import { compareMembership } from "../src/membership/compare-membership.ts";
import { findMembership } from "../src/membership/find-membership.ts";
import { judgeMembership } from "../src/membership/judge-membership.ts";
import type { MeasuredPair } from "../src/membership/measure-pairs.ts";
import { membershipFigures } from "../src/membership/membership-figures.ts";
import { MEMBERSHIP_VERDICTS, type Membership } from "../src/pairs/audit-membership.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import { createRng } from "../src/util/rng.ts";
import { checkpointInput, checkpointSettings } from "../src/verbs/inputs/checkpoint.ts";
import { openScoringModels } from "../src/verbs/inputs/scoring-models.ts";

const [out = "", seedText = "1"] = process.argv.slice(2);
const seed = Number(seedText);
const ORGANISM = "organisms/distractor";
const SIZES = [100, 250, 500, 1000, 2000];
const DRAWS = 200;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const work = silentWork({});
const rng = createRng(seed);

mkdirSync(out, { recursive: true });
const lines = gunzipSync(readFileSync(join(ORGANISM, "pairs.jsonl.gz")))
  .toString()
  .trim()
  .split("\n");
const promptOf = (line: string): string => (JSON.parse(line) as { prompt: string }).prompt;
const prompts = rng.shuffle([...new Set(lines.map(promptOf))].toSorted());
const trainedOn = new Set(prompts.slice(0, prompts.length / 2));
const write = (name: string, isTrained: boolean): string => {
  const path = join(out, name);
  const own = lines.filter((line) => trainedOn.has(promptOf(line)) === isTrained);
  writeFileSync(path, own.map((line) => `${line}\n`).join(""));
  return path;
};
const files = { trained: write("trained.jsonl", true), unseen: write("unseen.jsonl", false) };
const checkpoint = { paths: [join(ORGANISM, "checkpoint")] };
const settings = train.settings.parse({
  beta: 3,
  lengthNormalized: true,
  learningRate: 2e-4,
  epochs: 2,
  seed,
});
const m1 = join(out, "m1");
await runVerb(train, { data: { paths: [files.trained] }, checkpoint }, settings, {
  ...silentWork({ out: m1 }),
  isForced: true,
});

const open = (folder: string): ReturnType<typeof checkpointInput.open> =>
  checkpointInput.open([folder], checkpointSettings.parse({}), work);
const [before, after] = await Promise.all([open(checkpoint.paths[0]!), open(m1)]);
await using models = await openScoringModels(before, after, {
  threads: undefined,
  warn: work.warn,
});
const { claimed, heldOut, membership } = await findMembership(await openPairs([files.trained]), {
  before: models.sources.checkpoint!, // both were given
  after: models.sources.trained!,
  heldOut: await openPairs([files.unseen]),
  sample: lines.length,
  seed: 0,
});
say(`M1: ${claimed.length} pairs trained on, ${heldOut.length} unseen, seed ${seed}`);
say(`\ntrained on, against unseen\n  ${membership.verdict.sentence}`);
const [one, other] = halves(heldOut);
say(`unseen, against unseen\n  ${judge(one, other).sentence}`);
const exchange = (pair: MeasuredPair): MeasuredPair => ({
  ...pair,
  chosenTokens: pair.rejectedTokens,
  rejectedTokens: pair.chosenTokens,
  chosenBefore: pair.rejectedBefore,
  rejectedBefore: pair.chosenBefore,
  chosenDrift: pair.rejectedDrift,
  rejectedDrift: pair.chosenDrift,
});
say(`exchanged sides\n  ${judge(claimed.map(exchange), heldOut.map(exchange)).sentence}`);
const byChance = (pair: MeasuredPair): MeasuredPair => (rng.sign() > 0 ? pair : exchange(pair));
say(`labels by chance\n  ${judge(one.map(byChance), other.map(byChance)).sentence}`);

const { r, low, high } = membership.displacement.normalised!; // thousands of pairs
say(
  `\nCHES (length-normalised) with the drift of the chosen response: ${[r, low, high].map((each) => each.toFixed(3)).join(", ")} (Spearman, 95%)`,
);
say(`\nverdicts in ${DRAWS} draws, in percent`);
say(
  `claimed     held-out  prompts  ${MEMBERSHIP_VERDICTS.map((each) => each.padStart(8)).join("")}`,
);
for (const size of SIZES) tally("trained on", claimed, heldOut, size);
for (const size of SIZES.filter((each) => each <= 1000)) tally("unseen", heldOut, undefined, size);

function judge(
  ours: readonly MeasuredPair[],
  theirs: readonly MeasuredPair[],
): Membership["verdict"] {
  const [a, b] = [ours, theirs].map((pairs) => ({ pairs, figures: membershipFigures(pairs) }));
  const comparison = compareMembership(a!, b!); // two went in
  return judgeMembership({ claimed: a!.figures, heldOut: b!.figures, comparison });
}

/** Without `theirs`, both sides are drawn from ours and share no prompt. */
function tally(
  name: string,
  ours: readonly MeasuredPair[],
  theirs: readonly MeasuredPair[] | undefined,
  size: number,
): void {
  const counts = MEMBERSHIP_VERDICTS.map(() => 0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const [left, right] = theirs === undefined ? halves(ours) : [ours, theirs];
    const { kind } = judge(take(left, size), take(right, size));
    counts[MEMBERSHIP_VERDICTS.indexOf(kind)]!++;
  }
  const cells = counts.map((count) => ((100 * count) / DRAWS).toFixed(1).padStart(8));
  say(`${name.padEnd(11)} unseen    ${`${size}`.padStart(7)}  ${cells.join("")}`);
}

function byPrompt(pairs: readonly MeasuredPair[]): readonly (readonly MeasuredPair[])[] {
  const groups = new Map<string, MeasuredPair[]>();
  for (const pair of pairs) groups.set(pair.prompt, [...(groups.get(pair.prompt) ?? []), pair]);
  return rng.shuffle([...groups.values()]);
}

function take(pairs: readonly MeasuredPair[], size: number): readonly MeasuredPair[] {
  return byPrompt(pairs).slice(0, size).flat();
}

function halves(
  pairs: readonly MeasuredPair[],
): readonly [readonly MeasuredPair[], readonly MeasuredPair[]] {
  const groups = byPrompt(pairs);
  const half = Math.floor(groups.length / 2);
  return [groups.slice(0, half).flat(), groups.slice(half).flat()];
}
