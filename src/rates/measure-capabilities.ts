/** @file What a checkpoint can do beside the behaviour, item by item, so that arms are compared on the same items. */
import { z } from "zod";

import type { Engine, TokenizedExample } from "../engine/engine.ts";
import type { Message, RowContext } from "../format/messages.ts";
import { UnusableExampleError } from "../model/prompt-renderer-error.ts";
import { truncateExample } from "../model/prompt-renderer-truncate.ts";
import { createNameCounter, type NameCounter } from "../pairs/name-counter.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { type Fail, inRow, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { openSftFiles } from "../pairs/sft-examples.ts";
import { readPlainPrompt } from "../pairs/shapes/row-context.ts";
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

export interface MeasureOptions extends JobOptions {
  /** Hears how many rows are left out, and why. */
  readonly warn?: ((line: string) => void) | undefined;
}

/** 1 where the chosen side's log-probability per token is the higher one, 1/2 where they are equal, 0 else. */
export async function measurePreferences(
  engine: Engine,
  pairs: PairSet,
  job: MeasureOptions,
): Promise<CapabilityMeasure> {
  const items: Item[] = [];
  const left = createNameCounter();
  for await (const row of pairs.read()) {
    if (row.kind === "pair") {
      const { id, prompt, chosen, rejected, context } = row;
      items.push({ id, prompt, responses: [chosen, rejected], context });
    } else left.add([row.reason]);
  }
  return score(
    engine,
    items,
    { ...job, name: "pairs", left },
    ([chosen, rejected]) => (Math.sign(chosen! - rejected!) + 1) / 2,
  );
}

/** Log-probability per token of good answers, in nats. */
export async function measureAnswers(
  engine: Engine,
  path: string,
  job: MeasureOptions,
): Promise<CapabilityMeasure> {
  const items: Item[] = [];
  const left = createNameCounter();
  const set = await openSftFiles([path]);
  for await (const row of set.read()) {
    if ("prompt" in row && "response" in row) {
      const { id, prompt, response, context } = row;
      items.push({ id, prompt, responses: [response], context });
    } else left.add(["reason" in row ? row.reason : "no prompt"]);
  }
  if (items.length === 0) {
    throw new FormatError(`${path}: expected rows {prompt, response}, got none`);
  }
  return score(engine, items, { ...job, name: "answers", left }, ([answer]) => answer!);
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

interface ScoreOptions extends MeasureOptions {
  /** The input, for messages. */
  readonly name: string;
  /** Why rows were left out already. */
  readonly left: NameCounter;
}

/**
 * The value of each item by the log-probabilities per token of its responses. Items that the template refuses or that do not fit are left
 * out and counted: they are for every checkpoint of an experiment.
 */
async function score(
  engine: Engine,
  items: readonly Item[],
  { name, left, warn, ...job }: ScoreOptions,
  value: (perToken: readonly number[]) => number,
): Promise<CapabilityMeasure> {
  const usable = items.flatMap((item) => {
    const example = tokenize(engine, item);
    if (typeof example !== "string") return [{ id: item.id, example }];
    left.add([example]);
    return [];
  });
  const causes = left.report().map((each) => `${each.name} ${each.pairs}`);
  if (causes.length > 0) warn?.(`${name}: rows are left out: ${causes.join(", ")}`);
  const scored: [id: string, value: number][] = [];
  const examples = usable.map(({ example }) => example);
  for await (const { index, logprobs, tokenCounts } of engine.logprobs(examples, job)) {
    scored[index] = [usable[index]!.id, value(logprobs.map((sum, i) => sum / tokenCounts[i]!))];
  }
  return Object.fromEntries(scored);
}

function tokenize(engine: Engine, { prompt, responses, context }: Item): TokenizedExample | string {
  try {
    const example = engine.tokenize(prompt, responses, context);
    const cut = truncateExample(example, engine.identity.maxPositions);
    return cut.kind === "prompt-too-long" ? cut.kind : cut.example;
  } catch (error) {
    if (error instanceof UnusableExampleError) return error.reason;
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

const taskSchema = z.object({
  id: z.union([z.string().min(1), z.number()]).optional(),
  pattern: z.string().min(1),
});

const HINT =
  "A task is {id?, prompt, pattern, system?}, the prompt text or [{role, content}], the pattern a JavaScript regular expression; rows count from 0.";

/**
 * Reads tasks {id?, prompt, pattern, system?} (JSON lines, JSON, CSV or Parquet). Throws FormatError naming file and row for one that is
 * none, or whose prompt says more than roles and texts (tools, images, template variables): the model would be asked something else.
 */
export async function readTasks(path: string): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for await (const { fields, fileRow, fail } of readWholeRows(path, { hint: HINT })) {
    const parsed = taskSchema.safeParse(fields);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!; // a failed parse has at least one
      throw fail(`${issue.path.join(".")}: ${issue.message}`);
    }
    const { id, pattern } = parsed.data;
    const prompt = inRow(fail, () => readPlainPrompt(fields));
    if (prompt.every(({ content }) => content.trim() === "")) throw fail("prompt: it has no text");
    tasks.push({
      id: String(id ?? fileRow),
      prompt,
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
