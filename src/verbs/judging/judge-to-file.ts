import type { Judge } from "../../judge/judge.ts";
import { isMissing, type Verdict, writeVerdicts } from "../../judge/verdict.ts";
import { groupedRollouts } from "../../rates/scenario-groups.ts";
import { createIdenticalCounter, type IdenticalSamples } from "../../rollouts/identical-samples.ts";
import { findOpenedThinking, type OpenedThinking } from "../../rollouts/opened-thinking.ts";
import {
  readAbsentRollouts,
  ROLLOUT_MANIFEST,
  rolloutManifestPath,
} from "../../rollouts/rollout-manifest.ts";
import { readRollouts, type Rollout } from "../../rollouts/rollouts.ts";
import { createSampleCounts, type LackingSamples } from "../../rollouts/sample-counts.ts";
import { commonestFirst } from "../../util/commonest-first.ts";
import { ConfigError } from "../../util/errors.ts";
import type { JobOptions } from "../../util/progress.ts";

/** Whether responses begin within thinking, where the rollouts themselves do not say; infer: see findOpenedThinking. */
export const THINKING = ["infer", "opened", "none"] as const;
export type Thinking = (typeof THINKING)[number];

/** Counts of one variant. */
export interface VariantCounts {
  readonly variant: string;
  shows: number;
  not: number;
  missing: number;
  /** Of the missing, those that the budget did not reach. */
  beyondBudget: number;
}

/** What a judge said, counted. */
export interface JudgedFile {
  readonly judge: string;
  readonly behavior: string;
  readonly rollouts: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly variants: readonly VariantCounts[];
  /** Samples that others of the file have and some lack. */
  readonly lacking: LackingSamples | undefined;
  /** Whether the prompts opened thinking; undefined where we sampled ourselves, which says so of each. */
  readonly thinking?: OpenedThinking | undefined;
  /** Prompts whose samples are all of one text, and at which temperature, where that is known. Undefined where we sampled ourselves. */
  readonly sampled?:
    | { readonly identical: IdenticalSamples; readonly temperature: number | undefined }
    | undefined;
}

/**
 * Judges the rollouts of a file into another and counts on the way: memory does not grow with it. Samples that were never made, as the
 * rollouts' manifest says, are missing verdicts: they are in no rate, and no rollouts that do not show the behaviour either.
 */
export async function judgeToFile(
  judge: Judge<Rollout>,
  {
    path,
    out,
    thinking,
  }: { readonly path: string; readonly out: string; readonly thinking: Thinking },
  job: JobOptions,
): Promise<JudgedFile> {
  const causes = new Map<string, number>();
  const variants = new Map<string, VariantCounts>();
  const absent = new Map((await readAbsentRollouts(path)).map((each) => [each.rollout, each]));
  const manifest = await ROLLOUT_MANIFEST.find(rolloutManifestPath(path));
  const isOurs = manifest?.kind === "rollouts";
  const samples = createSampleCounts();
  const identical = createIdenticalCounter();
  let rollouts = 0;
  const read = (): AsyncIterable<Rollout> => readRollouts(path, job);
  const opened = isOurs ? undefined : await openedThinking(thinking, read);
  const isMarked = opened === "yes" || opened === "unknown";
  const grouped = groupedRollouts(isMarked ? () => markCut(read()) : read);
  const counted = async function* (): AsyncGenerator<Verdict> {
    // What an answer cost depends on who asked first; the store of answers has it.
    for await (const { cost: _, ...verdict } of judge.judge(grouped, job)) {
      rollouts++;
      countVerdict(verdict, variants, causes);
      samples.add(verdict);
      absent.delete(verdict.rollout);
      if (verdict.content !== undefined) identical.add(verdict, verdict.content);
      yield verdict;
    }
    // Thrown here, the file is not made; one without a row would only be in the way of the next try.
    if (rollouts + absent.size === 0) {
      throw new ConfigError(`${path}: expected rollouts, got none`, {
        hint: "culprit generate writes them; see whether it sampled any.",
      });
    }
    for (const verdict of absent.values()) {
      countVerdict(verdict, variants, causes);
      samples.add(verdict);
      yield { ...verdict, judge: judge.name };
    }
  };
  await writeVerdicts(out, counted());
  return {
    judge: judge.name,
    behavior: judge.behavior,
    rollouts,
    causes: commonestFirst(causes),
    variants: [...variants.values()],
    lacking: samples.lacking(),
    thinking: opened,
    sampled: isOurs
      ? undefined
      : { identical: identical.counts(), temperature: manifest?.sampling.temperature },
  };
}

function openedThinking(
  thinking: Thinking,
  read: () => AsyncIterable<Rollout>,
): OpenedThinking | Promise<OpenedThinking> {
  if (thinking === "infer") return findOpenedThinking(read());
  return thinking === "opened" ? "yes" : "no";
}

/** Marks what a limit may have cut within thinking that its prompt opened. */
async function* markCut(rollouts: AsyncIterable<Rollout>): AsyncGenerator<Rollout> {
  for await (const rollout of rollouts) {
    yield rollout.finish === "stop" ? rollout : { ...rollout, opensThinking: true };
  }
}

function countVerdict(
  verdict: Verdict,
  variants: Map<string, VariantCounts>,
  causes: Map<string, number>,
): void {
  const { variant } = verdict;
  const counts = variants.get(variant) ?? {
    variant,
    shows: 0,
    not: 0,
    missing: 0,
    beyondBudget: 0,
  };
  variants.set(variant, counts);
  if (!isMissing(verdict)) counts[verdict.label]++;
  else {
    counts.missing++;
    if (verdict.missing === "budget") counts.beyondBudget++;
    causes.set(verdict.missing, (causes.get(verdict.missing) ?? 0) + 1);
  }
}
