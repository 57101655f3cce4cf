/** @file Rollouts on disk: sampled responses, one a row, with a manifest beside them. */
import { readFile } from "node:fs/promises";

import { z } from "zod";

import type { Steering } from "../engine/generation/steering.ts";
import { type Message, ROLES } from "../format/messages.ts";
import { isObject, ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { otherKind } from "../pairs/row-kind.ts";
import { type Marks, readMarks } from "../pairs/row-marks.ts";
import { kindOf } from "../pairs/shapes/read-turns.ts";
import { RowProblem } from "../pairs/shapes/shape.ts";
import { FormatError } from "../util/errors.ts";

/** One sampled response, with the marks of its prompt. */
export interface Rollout extends Marks {
  /** `scenario/variant/sample`, see rolloutId. */
  readonly id: string;
  readonly scenario: string;
  readonly variant: string;
  /** Number of the sample within scenario and variant, from 0. */
  readonly sample: number;
  readonly prompt: readonly Message[];
  readonly response: string;
  /** `stop`: a stop token ended it; `length`: the limit of tokens or the end of the context. */
  readonly finish: "stop" | "length";
  /** Sampled tokens, a stop token included. */
  readonly tokens: number;
}

/** The id of a rollout, by what it is a sample of. */
export const rolloutId = (
  { scenario, variant }: Pick<Rollout, "scenario" | "variant">,
  sample: number,
): string => `${scenario}/${variant}/${sample}`;

/** How rollouts were made; equal manifests mean equal rollouts. */
export interface RolloutManifest {
  readonly kind: "rollouts";
  /** Of Culprit. */
  readonly version: string;
  /** As the user named it; not compared. */
  readonly checkpoint: string;
  readonly checkpointHash: string;
  readonly tokenizerHash: string;
  readonly templateHash: string;
  /** Hash of the prompts with their scenarios and variants, in order. */
  readonly promptsHash: string;
  readonly prompts: number;
  readonly sampling: RolloutSampling;
  /** What was done to the residual stream while sampling. */
  readonly steering: RolloutSteering | null;
  /** Which difference of logits was amplified while sampling. */
  readonly amplify: RolloutAmplification | null;
}

/** An amplification by the checkpoint that the difference was taken from. */
export interface RolloutAmplification {
  readonly beforeHash: string;
  readonly alpha: number;
}

/** A steering without its directions. */
export interface RolloutSteering {
  readonly kind: Steering["kind"];
  /** By ascending layer; the hash is SHA-256 of the direction's float32 values. */
  readonly directions: readonly { readonly layer: number; readonly hash: string }[];
  readonly strength: number | null;
}

/** Every setting that a rollout follows from. */
export interface RolloutSampling {
  readonly samples: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number | null;
  readonly topP: number;
  readonly seed: number;
  readonly stopTokens: readonly number[];
  /** Rows that ran side by side: rounding differs with it, so that once in a great many tokens another one is sampled. */
  readonly batch: number;
  /** There where prompts occur more than once; files of earlier versions have one draw several times then. */
  readonly repeats?: "own draws" | undefined;
}

const manifestSchema = z.object({
  kind: z.literal("rollouts"),
  version: z.string(),
  checkpoint: z.string(),
  checkpointHash: z.string(),
  tokenizerHash: z.string(),
  templateHash: z.string(),
  promptsHash: z.string(),
  prompts: z.int().nonnegative(),
  sampling: z.object({
    samples: z.int().positive(),
    maxTokens: z.int().positive(),
    temperature: z.number(),
    topK: z.int().nullable(),
    topP: z.number(),
    seed: z.int(),
    stopTokens: z.array(z.int()),
    batch: z.int().positive(),
    repeats: z.literal("own draws").exactOptional(),
  }),
  steering: z
    .object({
      kind: z.enum(["add", "project-out"]),
      directions: z.array(z.object({ layer: z.int().nonnegative(), hash: z.string() })).min(1),
      strength: z.number().nullable(),
    })
    .nullable()
    .default(null),
  amplify: z.object({ beforeHash: z.string(), alpha: z.number() }).nullable().default(null),
});

/** Where the manifest of a rollout file stands. */
export const rolloutManifestPath = (path: string): string => `${path}.json`;

/** The manifest in a file, or undefined where there is no such file. Throws FormatError where it is something else. */
export async function readRolloutManifest(path: string): Promise<RolloutManifest | undefined> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${path}: not valid JSON`, { cause });
  }
  const result = manifestSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new FormatError(`${path}: "${issue?.path.join(".")}": ${issue?.message}`, {
    hint: "It should be the manifest that culprit generate writes beside its rollouts.",
  });
}

const amplifiedSchema = z.looseObject({ amplify: z.looseObject({ alpha: z.number() }).nullish() });

/** By how much rollouts were amplified, by their manifest of any kind; undefined where they were not, or there is none. */
export async function readAmplification(path: string): Promise<number | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return amplifiedSchema.parse(JSON.parse(text)).amplify?.alpha;
  } catch (cause) {
    throw new FormatError(`${path}: expected the manifest of rollouts, got something else`, {
      cause,
    });
  }
}

const HINT =
  'A rollout is {"id", "scenario", "variant", "sample", "prompt": [{role, content}], "response", "finish", "tokens", "group"?, "tags"?}; rows count from 0. culprit generate --import makes them of other programs\' responses.';

/**
 * Streams the rollouts of a file (JSON lines, JSON or Parquet) in its order. Throws FormatError naming file and row (from 0) where
 * one is broken, incomplete or there twice. Memory: the ids.
 */
export async function* readRollouts(
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Rollout, void, undefined> {
  const rowOf = new Map<string, number>();
  for await (const row of readRows(path, { signal })) {
    const other = row.kind === "fields" ? otherKind(row.fields, "rollouts") : "";
    const fail: Fail = (detail) =>
      new FormatError(`${path}, row ${row.fileRow}: ${detail}${other}`, { hint: HINT });
    if (row.kind === "broken") throw fail(row.detail);
    const rollout = readRollout(row.fields, fail);
    const earlier = rowOf.get(rollout.id);
    if (earlier !== undefined) throw fail(`its id is that of row ${earlier} too`);
    rowOf.set(rollout.id, row.fileRow);
    yield rollout;
  }
}

type Fail = (detail: string) => FormatError;

function readRollout(fields: RowFields, fail: Fail): Rollout {
  const text = (name: string): string => {
    const value = ownField(fields, name);
    if (typeof value === "string") return value;
    throw fail(`${name}: expected text, got ${kindOf(value)}`);
  };
  const count = (name: string): number => {
    const value = ownField(fields, name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw fail(`${name}: expected a whole number from 0, got ${kindOf(value)}`);
  };
  const finish = text("finish");
  if (finish !== "stop" && finish !== "length") {
    throw fail('finish: expected "stop" or "length"');
  }
  return {
    id: text("id"),
    scenario: text("scenario"),
    variant: text("variant"),
    sample: count("sample"),
    prompt: readPrompt(ownField(fields, "prompt"), fail),
    response: text("response"),
    finish,
    tokens: count("tokens"),
    ...marksOf(fields, fail),
  };
}

/** The marks of a row; `fail` makes the error that names it. */
export function marksOf(fields: RowFields, fail: Fail): Marks {
  try {
    return readMarks(fields);
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    throw fail(error.message);
  }
}

function readPrompt(value: unknown, fail: Fail): readonly Message[] {
  if (!Array.isArray(value)) throw fail("prompt: expected a list of {role, content}");
  return value.map((turn: unknown, i) => {
    const [role, content] = isObject(turn)
      ? [ownField(turn, "role"), ownField(turn, "content")]
      : [];
    const known = ROLES.find((each) => each === role);
    if (known !== undefined && typeof content === "string") return { role: known, content };
    throw fail(`prompt[${i}]: expected {role, content}`);
  });
}
