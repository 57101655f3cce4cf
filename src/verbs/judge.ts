import { z } from "zod";

import { createHumanJudge, readHumanLabels } from "../judge/human-labels.ts";
import { BUILT_IN_RULES } from "../judge/rules-judge.ts";
import { VERDICTS } from "../judge/verdict.ts";
import { warnOfIdentical } from "../rollouts/identical-samples.ts";
import { rolloutManifestPath } from "../rollouts/rollout-manifest.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import { ConfigError, type CulpritError, RuntimeError } from "../util/errors.ts";
import { moneyAmount } from "../util/figures.ts";
import { nonEmpty } from "../util/setting-kinds.ts";
import { type Lines, linesOf, printable, tableOf, textOf } from "../util/text-table.ts";
import { labelsInput, rolloutsInput } from "./inputs/files.ts";
import { rubricInput, rulesInput } from "./inputs/judges.ts";
import { type JudgedFile, judgeToFile, THINKING, type Thinking } from "./judging/judge-to-file.ts";
import { noting } from "./judging/open-asker.ts";
import {
  estimateByRubric,
  type JudgeInputs,
  judgingContradictions,
  openJudge,
} from "./judging/open-judge.ts";
import { answersOutput } from "./outputs.ts";
import { judgingSettings } from "./settings/judging.ts";
import { uncheckedLabels } from "./show/agreement.ts";
import {
  budgetUsedUp,
  describeUsage,
  formatAsking,
  type LlmSummary,
  tooManyUnjudged,
} from "./show/llm-usage.ts";
import { defineVerb, need, type Work } from "./verb.ts";

/** What was judged. */
export interface Judged extends JudgedFile {
  readonly out: string;
  /** The file of rollouts. */
  readonly from: string;
  /** What an LLM took. */
  readonly llm?: LlmSummary | undefined;
  /** Of people's labels: those of other rollouts, and those that do not say of which text they are. */
  readonly labels?:
    | { readonly path: string; readonly unused: number; readonly unchecked: number }
    | undefined;
}

const judgeSettings = z.strictObject({
  ...judgingSettings.shape,
  thinking: z
    .enum(THINKING)
    .default("infer")
    .describe(
      "Of rollouts that were not sampled on this machine: whether they begin within thinking that the server's chat template opened, so that a cut one answers nothing. infer: where most of those that were not cut close what they did not open, and where every one was cut.",
    ),
  meaning: nonEmpty
    .optional()
    .describe(
      'With labels: what "shows" means, in words that follow "the response". Absent: none, where no labels judge.',
    ),
});

type RunWork = Work<typeof outputs>;

const outputs = {
  out: {
    artifact: VERDICTS,
    placeholder: "FILE",
    describe: "The verdicts to write, JSON lines.",
  },
  answers: answersOutput("judge-answers.jsonl", "LLM"),
} as const;

export const judge = defineVerb({
  name: "judge",
  summary: "Says of every rollout whether it shows the behaviour",
  about: `
ROLLOUTS is a file that culprit generate wrote. Each rollout gets a verdict, "shows" or "not", or is missing with its cause: an
empty response, or one that the rules do not decide. Missing verdicts are in no rate; every table counts them.

--rules names a rule set: ${Object.keys(BUILT_IN_RULES).join(" and ")} are built in (English; refusal: the response declines the request; compliance: it
does not). Or a YAML file; the first rule whose pattern (a JavaScript regular expression) occurs decides:

  name: verse
  behavior: answers in verse
  rules:
    - {pattern: '^i cannot', label: not, reason: declines}
    - {pattern: 'roses are red', label: shows, within: 200}
  otherwise: missing

How far the built-in rules agree with people is in docs/benchmarks.md.

--rubric names a rubric, or a YAML file, and asks the model behind --base-url. Every paid answer is kept before it counts: the
same command, after a kill too, asks only what is not there. A request that fails is repeated, --attempts at most; what then has
no readable answer is missing with its cause; --force asks about it again. See docs/how-to-judge-with-llms.md.

--labels takes what people said; culprit review asks you. culprit agreement compares any judge with them.

  culprit judge rollouts.jsonl --rules compliance --out verdicts.jsonl
  culprit judge rollouts.jsonl --rubric harm --base-url http://localhost:8000/v1 --model qwen --out verdicts.jsonl --dry-run
  culprit judge rollouts.jsonl --labels labels.csv --meaning "is rude" --out verdicts.jsonl`,
  version: 8,
  inputs: {
    rollouts: { ...rolloutsInput, isPositional: true },
    rules: rulesInput,
    rubric: rubricInput,
    labels: { ...labelsInput, isOptional: true },
  },
  settings: judgeSettings,
  check: (settings, given) => {
    const ways = ["rules", "rubric", "labels"].filter((way) => given.has(way));
    if (ways.length !== 1) {
      const got = ways.length === 0 ? "none" : ways.join(" and ");
      const message = `expected one of rules, rubric and labels, got ${got}`;
      return [{ path: [ways[1] ?? "rules"], message }];
    }
    const isLabelled = given.has("labels");
    return [
      ...judgingContradictions(settings, given),
      ...need(
        !isLabelled || settings.meaning !== undefined,
        ["meaning"],
        'expected what "shows" means beside labels, got none',
      ),
      ...need(
        isLabelled || settings.meaning === undefined,
        ["meaning"],
        `expected labels with it, got ${ways[0]!}`, // there is one
      ),
    ];
  },
  outputs,
  force:
    "Replace an existing --out. With --rubric, ask again about what has no readable answer among those kept, and about nothing else.",
  run: async ({ rollouts, labels, ...inputs }, settings, work): Promise<Judged> =>
    labels === undefined
      ? judgeNew(rollouts, inputs, settings, work)
      : judgeByLabels(
          rollouts,
          { labels, meaning: settings.meaning!, thinking: settings.thinking },
          work,
        ), // check
  show: (judged) =>
    textOf(
      `judge ${printable(judged.judge)}: "shows" means that the response ${printable(judged.behavior)}`,
      tableOf(judged.variants, [
        ["variant", ({ variant }) => printable(variant)],
        ["shows", ({ shows }) => shows],
        ["not", ({ not }) => not],
        ["missing", ({ missing }) => missing],
      ]),
      Object.entries(judged.causes).map(
        ([cause, count]) => `${count} missing: ${printable(cause)}`,
      ),
      describeLeftOut(judged),
      judged.llm && describeUsage(judged.llm),
    ),
  warnings: listWarnings,
  unfinished: ({ variants, llm, rollouts }) => {
    const left = variants.reduce((sum, { beyondBudget }) => sum + beyondBudget, 0);
    if (left === 0) return undefined;
    const spent = llm?.cacheCost === undefined ? "" : `${moneyAmount(llm.cacheCost)} spent, `;
    return budgetUsedUp(`${spent}${left} of ${rollouts} rollouts`);
  },
  fault: (judged) => noVerdicts(judged) ?? tooManyUnjudged(judged.llm, "endpoint.maxMissing"),
  estimate: {
    of: ({ rollouts, rubric }, settings, { out, isForced, signal }) => {
      if (rubric === undefined) throw new ConfigError("rubric: expected one to estimate, got none");
      const { answers } = out;
      return estimateByRubric(readRollouts(rollouts, { signal }), rubric, settings, {
        answers,
        isForced,
      });
    },
    show: formatEstimate,
  },
});

async function judgeNew(
  path: string,
  inputs: JudgeInputs,
  settings: z.output<typeof judgeSettings>,
  work: RunWork,
): Promise<Judged> {
  const { out, signal, progress } = work;
  const { answers } = out;
  await using opened = await openJudge(inputs, settings, { ...work, answers, setting: "endpoint" });
  const job = { signal, progress: progress("rollouts") };
  const judging = judgeToFile(
    opened.judge,
    { path, out: out.out, thinking: settings.thinking },
    job,
  );
  const counts = await noting(judging, opened.usage, work);
  return { out: out.out, from: path, ...counts, llm: opened.summary() };
}

interface LabelledBy {
  readonly labels: string;
  readonly meaning: string;
  readonly thinking: Thinking;
}

async function judgeByLabels(
  path: string,
  { labels, meaning, thinking }: LabelledBy,
  { out, signal, progress }: RunWork,
): Promise<Judged> {
  const said = await readHumanLabels(labels);
  const people = createHumanJudge(said, meaning);
  const job = { signal, progress: progress("rollouts") };
  const counts = await judgeToFile(people, { path, out: out.out, thinking }, job);
  if (said.size > 0 && people.unused() === said.size) {
    throw new ConfigError(`labels: expected labels of its rollouts, got none of ${said.size}`, {
      hint: "Rollouts of two checkpoints have the same ids. Take labels of the rollouts that are judged: culprit review makes them.",
    });
  }
  return {
    out: out.out,
    from: path,
    ...counts,
    labels: { path: labels, unused: people.unused(), unchecked: people.unchecked() },
  };
}

function listWarnings({ lacking, labels, from, sampled, thinking }: Judged): readonly string[] {
  const { path = "", unused = 0, unchecked = 0 } = labels ?? {};
  return linesOf([
    thinking === "unknown" &&
      `${from}: every response was cut at its limit, and nothing shows whether it is an answer or thinking that the server's chat template opened, so none counts as an answer. Sample with a higher --max-tokens; --thinking none judges them where the model does not think.`,
    sampled && warnOfIdentical(from, sampled.identical, sampled.temperature),
    // What a file lacks is counted nowhere else: its manifest, which says what failed, may have been left behind.
    lacking &&
      `${from}: ${lacking.samples} samples are not in it, in ${lacking.places} of ${lacking.of} scenarios × variants, as others have more; they count as missing only where ${rolloutManifestPath(from)} says what failed, which goes with the file`,
    unused > 0 && `${path}: ${unused} labels of rollouts that are not in ${from}`,
    unchecked > 0 && uncheckedLabels(path, unchecked),
  ]);
}

/** The error where there is nothing to go on with; the file has the causes. */
function noVerdicts(judged: Judged): CulpritError | undefined {
  const { rollouts, causes, variants, out } = judged;
  if (variants.some(({ shows, not }) => shows + not > 0)) return undefined;
  const list = Object.entries(causes).map(([cause, count]) => `${count} ${printable(cause)}`);
  const why = list.length === 0 ? "" : ` (${list.join("; ")})`;
  return new RuntimeError(
    `judge ${printable(judged.judge)}: expected verdicts, got none of ${rollouts} rollouts${why}`,
    { hint: `${out} has the cause of each; see what fails before judging on.` },
  );
}

/** What a budget that was used up left out: rollouts are judged in the file's order, so what it reached is no sample drawn by chance. */
function describeLeftOut({ variants }: Pick<Judged, "variants">): Lines {
  const left = variants.filter(({ beyondBudget }) => beyondBudget > 0);
  const list = left.map(
    ({ variant, shows, not, missing, beyondBudget }) =>
      `${beyondBudget} of ${shows + not + missing} of ${printable(variant)}`,
  );
  return (
    left.length > 0 &&
    `the budget did not reach ${list.join(", ")}: rollouts are judged in the file's order, so those judged are no sample drawn by chance, and rates of them may mislead; a higher --max-cost goes on`
  );
}

function formatEstimate(estimate: Awaited<ReturnType<typeof estimateByRubric>>): string {
  const { rollouts, empty, cached, requests } = estimate;
  return [
    `${rollouts} rollouts: ${requests} requests, ${cached} in the cache or repeated, ${empty} without text`,
    ...formatAsking(estimate),
  ].join("\n");
}
