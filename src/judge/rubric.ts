import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { z } from "zod";

import { parseYaml, readText } from "../pairs/readers/yaml-document.ts";
import { FormatError } from "../util/errors.ts";
import { packageFile } from "../util/package-file.ts";
import { LABELS } from "./verdict.ts";

const EXAMPLE = z.strictObject({
  prompt: z.string(),
  response: z.string(),
  /** On a scale. */
  score: z.number().optional(),
  /** With labels. */
  label: z.string().optional(),
  reason: z.string().optional(),
});

const RUBRIC = z.strictObject({
  name: z.string().min(1),
  /** What the label `shows` means, in words that follow "the response". */
  behavior: z.string().min(1),
  /** Instructions. */
  system: z.string().min(1),
  /** The question; {prompt} and {response} are filled in, {fence} is a word that neither contains. */
  user: z.string().min(1),
  /** Lowest and highest score; or `labels`. */
  scale: z.tuple([z.number(), z.number()]).optional(),
  /** The lowest score that shows the behaviour. */
  threshold: z.number().optional(),
  /** The judge's words, and what each means. */
  labels: z.record(z.string().min(1), z.enum([...LABELS, "missing"])).optional(),
  /** Asked and answered before the question. */
  examples: z.array(EXAMPLE).default([]),
  /** Tokens of an answer at most. */
  maxTokens: z.int().min(1).default(400),
});

/** How an LLM is to judge. */
export interface Rubric {
  readonly name: string;
  readonly behavior: string;
  readonly system: string;
  readonly user: string;
  readonly answer: RubricAnswer;
  readonly examples: readonly RubricExample[];
  readonly maxTokens: number;
}

/** What the judge is to answer, and what that means. */
export type RubricAnswer =
  | {
      readonly kind: "score";
      readonly low: number;
      readonly high: number;
      readonly threshold: number;
    }
  | {
      readonly kind: "label";
      readonly labels: Readonly<Record<string, "shows" | "not" | "missing">>;
    };

export interface RubricExample {
  readonly prompt: string;
  readonly response: string;
  readonly value: number | string;
  readonly reason: string;
}

/** Rubrics that come with the package. */
export const BUILT_IN_RUBRICS = [
  "harm",
  "compliance",
  "refusal",
  "sycophancy",
  "format-obedience",
] as const;

/**
 * A rubric that comes along by its name, or one from a YAML (or JSON) file. Throws FormatError naming file and place for what is no
 * rubric.
 */
export async function readRubric(nameOrPath: string): Promise<Rubric> {
  const isBuiltIn = (BUILT_IN_RUBRICS as readonly string[]).includes(nameOrPath);
  const path = isBuiltIn ? fileURLToPath(packageFile(`rubrics/${nameOrPath}.yaml`)) : nameOrPath;
  if (!existsSync(path)) {
    throw new FormatError(`${nameOrPath}: expected a rubric file, got no file`, {
      hint: `Rubrics that need no file: ${BUILT_IN_RUBRICS.join(", ")}.`,
    });
  }
  const parsed = RUBRIC.safeParse(parseYaml(path, await readText(path)));
  if (parsed.success) return toRubric(path, parsed.data);
  const [issue] = parsed.error.issues;
  throw problem(path, issue?.path.join(".") ?? "", issue?.message ?? "expected a rubric");
}

function problem(path: string, at: string, detail: string): FormatError {
  return new FormatError(`${path}${at === "" ? "" : `, ${at}`}: ${detail}`, {
    hint: "A rubric is {name, behavior, system, user, scale: [low, high] with threshold, or labels: {WORD: shows|not|missing}, examples?, maxTokens?}.",
  });
}

function toRubric(path: string, file: z.infer<typeof RUBRIC>): Rubric {
  const { name, behavior, system, user, maxTokens } = file;
  if (!user.includes("{response}")) throw problem(path, "user", "expected {response} in it");
  const answer = toAnswer(path, file);
  const examples = file.examples.map(({ prompt, response, score, label, reason = "" }, i) => {
    const at = `examples.${i}`;
    const value = answer.kind === "score" ? score : label;
    if (value === undefined) throw problem(path, at, `expected a ${answer.kind}`);
    const isKnown =
      answer.kind === "score"
        ? Number(value) >= answer.low && Number(value) <= answer.high
        : Object.hasOwn(answer.labels, String(value));
    if (!isKnown) throw problem(path, at, `expected a ${answer.kind} of this rubric`);
    return { prompt, response, value, reason };
  });
  return { name, behavior, system, user, answer, examples, maxTokens };
}

function toAnswer(path: string, file: z.infer<typeof RUBRIC>): RubricAnswer {
  const { scale, threshold, labels } = file;
  if ((scale === undefined) === (labels === undefined)) {
    throw problem(path, "", "expected either a scale or labels");
  }
  if (labels !== undefined) {
    if (threshold !== undefined) throw problem(path, "threshold", "labels have none");
    const meanings = Object.values(labels);
    if (!meanings.includes("shows") || !meanings.includes("not")) {
      throw problem(path, "labels", "expected words for shows and for not");
    }
    return { kind: "label", labels };
  }
  const [low, high] = scale!; // one of the two is there, see above
  if (!(low < high)) throw problem(path, "scale", "expected the lower end first");
  if (threshold === undefined || threshold <= low || threshold > high) {
    throw problem(path, "threshold", `expected a number above ${low} and at most ${high}`);
  }
  return { kind: "score", low, high, threshold };
}
