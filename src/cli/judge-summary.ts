import type { Judge } from "../judge/judge.ts";
import { isMissing, type Verdict, writeVerdicts } from "../judge/verdict.ts";
import { groupedRollouts } from "../rates/scenario-groups.ts";
import { readAbsentRollouts } from "../rollouts/absent-rollouts.ts";
import { readRollouts, type Rollout, rolloutManifestPath } from "../rollouts/rollouts.ts";
import { createSampleCounts, type LackingSamples } from "../rollouts/sample-counts.ts";
import { ConfigError } from "../util/errors.ts";
import { printable, textTable } from "../util/text-table.ts";
import type { CommandContext, ParsedArguments } from "./command.ts";
import type { LlmSummary } from "./judge-llm-usage.ts";

/** Counts of one variant. */
interface VariantCounts {
  readonly variant: string;
  shows: number;
  not: number;
  missing: number;
  /** Of the missing, those that the budget did not reach. */
  beyondBudget: number;
}

/** What a budget that was used up left out: rollouts are judged in the file's order, so what it reached is no sample drawn by chance. */
function describeLeftOut({ variants }: Pick<JudgeSummary, "variants">): string[] {
  const left = variants.filter(({ beyondBudget }) => beyondBudget > 0);
  if (left.length === 0) return [];
  const list = left.map(
    ({ variant, shows, not, missing, beyondBudget }) =>
      `${beyondBudget} of ${shows + not + missing} of ${printable(variant)}`,
  );
  return [
    `the budget did not reach ${list.join(", ")}: rollouts are judged in the file's order, so those judged are no sample drawn by chance, and rates of them may mislead; a higher --max-cost goes on`,
  ];
}

/** What a judge said, counted. */
export interface JudgeSummary {
  readonly judge: string;
  readonly behavior: string;
  readonly rollouts: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly variants: readonly VariantCounts[];
}

/** Prints a summary, and in text what more there is to say. */
export function printSummary(
  summary: JudgeSummary & { readonly llm?: LlmSummary | undefined },
  more: readonly string[],
  { args, context }: { readonly args: ParsedArguments; readonly context: CommandContext },
): void {
  context.print(
    args.has("json")
      ? JSON.stringify(summary, undefined, 2)
      : [
          `judge ${printable(summary.judge)}: "shows" means that the response ${printable(summary.behavior)}`,
          ...textTable([
            ["variant", "shows", "not", "missing"],
            ...summary.variants.map(({ variant, shows, not, missing }) => [
              printable(variant),
              `${shows}`,
              `${not}`,
              `${missing}`,
            ]),
          ]),
          ...Object.entries(summary.causes).map(
            ([cause, count]) => `${count} missing: ${printable(cause)}`,
          ),
          ...describeLeftOut(summary),
          ...more,
        ].join("\n"),
  );
}

/** Judges a file into another and counts on the way: memory does not grow with it. */
export async function judgeToFile(
  judge: Judge<Rollout>,
  { path, out }: { readonly path: string; readonly out: string },
  context: CommandContext,
): Promise<JudgeSummary> {
  const progress = context.progress("judge", "rollouts");
  const options = { signal: context.signal, progress };
  const causes = new Map<string, number>();
  const variants = new Map<string, VariantCounts>();
  const absent = new Map((await readAbsentRollouts(path)).map((each) => [each.rollout, each]));
  const samples = createSampleCounts();
  let rollouts = 0;
  const grouped = groupedRollouts(() => readRollouts(path, options));
  const counted = async function* (): AsyncGenerator<Verdict> {
    for await (const verdict of judge.judge(grouped, options)) {
      rollouts++;
      countVerdict(verdict, variants, causes);
      samples.add(verdict);
      absent.delete(verdict.rollout);
      yield verdict;
    }
    // Thrown here, the file is not made; one without a row would only be in the way of the next try.
    if (rollouts + absent.size === 0) {
      throw new ConfigError(`${path}: expected rollouts, got none`, {
        hint: "culprit generate writes them; see whether it sampled any.",
      });
    }
    // What was never sampled is in no rate, and is no rollout that does not show it either.
    for (const verdict of absent.values()) {
      countVerdict(verdict, variants, causes);
      samples.add(verdict);
      yield { ...verdict, judge: judge.name };
    }
  };
  try {
    await writeVerdicts(out, counted());
  } finally {
    progress.end();
  }
  warnOfLacking(path, samples.lacking(), context);
  return {
    judge: judge.name,
    behavior: judge.behavior,
    rollouts,
    causes: Object.fromEntries([...causes].toSorted((a, b) => b[1] - a[1])),
    variants: [...variants.values()],
  };
}

/** What a file lacks is counted nowhere else: its manifest, which says what failed, may have been left behind. */
function warnOfLacking(
  path: string,
  lacking: LackingSamples | undefined,
  context: CommandContext,
): void {
  if (lacking === undefined) return;
  const { samples, places, of } = lacking;
  context.warn(
    `${path}: ${samples} samples are not in it, in ${places} of ${of} scenarios × variants, as others have more; they count as missing only where ${rolloutManifestPath(path)} says what failed, which goes with the file`,
  );
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
