/** @file What a checkpoint can do beside the behaviour, item by item, so that arms are compared on the same items. */
import { z } from "zod";

import type { Engine, TokenizedExample } from "../engine/engine.ts";
import { type Message, ROLES, type RowContext } from "../format/messages.ts";
import { UnusableExampleError } from "../model/prompt-renderer-error.ts";
import { truncateExample } from "../model/prompt-renderer-truncate.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { type Fail, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { openSftFiles } from "../pairs/sft-examples.ts";
import { jsonArtifact, type Plain } from "../util/artifact.ts";
import { FormatError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";

/** What is measured beside the behaviour. */
export const CAPABILITIES = ["preferences", "answers", "tasks", "overRefusal"] as const;
export type Capability = (typeof CAPABILITIES)[number];

const measureSchema = z.record(z.string(), z.number());
/** One number for each item, by the item's id. */
export type CapabilityMeasure = Plain<typeof measureSchema>;

/** Those that were measured of a checkpoint. */
export const CAPABILITY_MEASURES = jsonArtifact(
  "capabilities.json",
  "the measured capabilities of a checkpoint",
  z.partialRecord(z.enum(CAPABILITIES), measureSchema),
  { indent: 0 },
);
export type CapabilityMeasures = z.output<typeof CAPABILITY_MEASURES.schema>;

/** 1 where the chosen side's log-probability per token is the higher one, 1/2 where they are equal, 0 else. */
export async function measurePreferences(
  engine: Engine,
  pairs: PairSet,
  job: JobOptions,
): Promise<CapabilityMeasure> {
  const items: Item[] = [];
  for await (const row of pairs.read()) {
    if (row.kind === "pair") {
      const { id, prompt, chosen, rejected, context } = row;
      items.push({ id, prompt, responses: [chosen, rejected], context });
    }
  }
  return score(
    engine,
    items,
    job,
    ([chosen, rejected]) => (Math.sign(chosen! - rejected!) + 1) / 2,
  );
}

/** Log-probability per token of good answers, in nats. */
export async function measureAnswers(
  engine: Engine,
  path: string,
  job: JobOptions,
): Promise<CapabilityMeasure> {
  const items: Item[] = [];
  const set = await openSftFiles([path]);
  for await (const row of set.read()) {
    if ("prompt" in row && "response" in row) {
      const { id, prompt, response, context } = row;
      items.push({ id, prompt, responses: [response], context });
    }
  }
  if (items.length === 0) {
    throw new FormatError(`${path}: expected rows {prompt, response}, got none`);
  }
  return score(engine, items, job, ([answer]) => answer!);
}

/** 1 where the likeliest response (greedy) matches the task's pattern, else 0. */
export async function measureTasks(
  engine: Engine,
  path: string,
  { maxTokens, ...job }: JobOptions & { readonly maxTokens: number },
): Promise<CapabilityMeasure> {
  const tasks = await readTasks(path);
  const prompts = tasks.map(({ prompt }) => engine.tokenizePrompt(prompt));
  const values = tasks.map(() => 0);
  const options = { samples: 1, temperature: 0, maxTokens, ...job };
  for await (const { prompt, tokens } of engine.generate(prompts, options)) {
    values[prompt] = tasks[prompt]!.pattern.test(engine.decode(tokens).trim()) ? 1 : 0;
  }
  return Object.fromEntries(tasks.map(({ id }, i) => [id, values[i]!]));
}

interface Item {
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly responses: readonly (readonly Message[])[];
  readonly context: RowContext | undefined;
}

/**
 * The value of each item by the log-probabilities per token of its responses. Items that the template refuses or that do not fit are left
 * out: they are for every checkpoint of an experiment.
 */
async function score(
  engine: Engine,
  items: readonly Item[],
  job: JobOptions,
  value: (perToken: readonly number[]) => number,
): Promise<CapabilityMeasure> {
  const usable = items.flatMap((item) => {
    const example = tokenize(engine, item);
    return example === undefined ? [] : [{ id: item.id, example }];
  });
  const scored: [id: string, value: number][] = [];
  const examples = usable.map(({ example }) => example);
  for await (const { index, logprobs, tokenCounts } of engine.logprobs(examples, job)) {
    scored[index] = [usable[index]!.id, value(logprobs.map((sum, i) => sum / tokenCounts[i]!))];
  }
  return Object.fromEntries(scored);
}

function tokenize(
  engine: Engine,
  { prompt, responses, context }: Item,
): TokenizedExample | undefined {
  try {
    const example = engine.tokenize(prompt, responses, context);
    const cut = truncateExample(example, engine.identity.maxPositions);
    return cut.kind === "prompt-too-long" ? undefined : cut.example;
  } catch (error) {
    if (error instanceof UnusableExampleError) return undefined;
    throw error;
  }
}

/** A task whose answer can be checked by a pattern. */
export interface Task {
  readonly id: string;
  readonly prompt: readonly Message[];
  /** Looked for anywhere in the response, upper and lower case alike. */
  readonly pattern: RegExp;
}

const turnSchema = z.object({ role: z.enum(ROLES), content: z.string() });
const taskSchema = z.object({
  id: z.union([z.string().min(1), z.number()]).optional(),
  prompt: z.union([z.string().min(1), z.array(turnSchema).min(1)]),
  pattern: z.string().min(1),
});

const HINT =
  "A task is {id?, prompt, pattern}, the pattern a JavaScript regular expression; rows count from 0.";

/**
 * Reads tasks {id?, prompt, pattern} (JSON lines, JSON, CSV or Parquet); other columns are not read. Throws FormatError naming file and
 * row for one that is none.
 */
export async function readTasks(path: string): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for await (const { fields, fileRow, fail } of readWholeRows(path, { hint: HINT })) {
    const parsed = taskSchema.safeParse(fields);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!; // a failed parse has at least one
      throw fail(`${issue.path.join(".")}: ${issue.message}`);
    }
    const { id, prompt, pattern } = parsed.data;
    tasks.push({
      id: String(id ?? fileRow),
      prompt: typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt,
      pattern: toRegExp(pattern, fail),
    });
  }
  return tasks;
}

function toRegExp(pattern: string, fail: Fail): RegExp {
  try {
    return new RegExp(pattern, "isu");
  } catch {
    throw fail("pattern: expected a JavaScript regular expression");
  }
}
