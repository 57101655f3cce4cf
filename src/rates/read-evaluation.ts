import { dirname, resolve } from "node:path";

import { z } from "zod";

import { readVerdicts } from "../judge/verdict.ts";
import { ownField } from "../pairs/readers/file-row.ts";
import { readWholeRows } from "../pairs/readers/whole-rows.ts";
import { parseYaml, readText } from "../pairs/readers/yaml-document.ts";
import { FormatError } from "../util/errors.ts";
import type { MeasureValues } from "./compare-measures.ts";
import type { Arm, ArmRun } from "./evaluation.ts";
import { CAPABILITY_MEASURES } from "./measure-capabilities.ts";

const RUN = z.strictObject({
  seed: z.union([z.string(), z.number()]).transform(String).optional(),
  /** Verdict file, relative to this file. */
  verdicts: z.string().min(1),
  /** What culprit capabilities wrote. */
  capabilities: z.string().min(1).optional(),
  /** A number for the run, or a file of rows {id, value}. */
  measures: z.record(z.string(), z.union([z.number(), z.string().min(1)])).optional(),
});

const EVALUATION = z.strictObject({
  baseline: z.string().min(1),
  controls: z.array(z.string().min(1)).optional(),
  variants: z.array(z.string().min(1)).optional(),
  arms: z.array(z.strictObject({ name: z.string().min(1), runs: z.array(RUN).min(1) })).min(1),
});

/** Which verdicts and measures belong to which arm and seed; paths are resolved. */
export interface EvaluationFile extends Omit<z.output<typeof EVALUATION>, "arms"> {
  readonly arms: readonly ArmFiles[];
}

/** The files of an arm. */
export interface ArmFiles {
  readonly name: string;
  readonly runs: readonly RunFiles[];
}

/** The files of one run. */
export interface RunFiles {
  readonly seed: string;
  readonly verdicts: string;
  readonly capabilities?: string | undefined;
  readonly measures: Readonly<Record<string, number | string>>;
}

/** Reads {baseline, controls?, variants?, arms: [{name, runs: [{seed?, verdicts, capabilities?, measures?}]}]} from YAML or JSON; a run's seed defaults to its number from 1. Throws FormatError naming the place. */
export async function readEvaluationFile(path: string): Promise<EvaluationFile> {
  const parsed = EVALUATION.safeParse(parseYaml(path, await readText(path)));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? "" : `, ${issue.path.join(".")}`;
    throw new FormatError(`${path}${place}: ${issue?.message ?? "expected an evaluation"}`, {
      hint: "An evaluation is {baseline, controls?, variants?, arms: [{name, runs: [{seed?, verdicts, capabilities?, measures?}]}]}.",
    });
  }
  const place = (file: string): string => resolve(dirname(path), file);
  const { arms, ...rest } = parsed.data;
  return {
    ...rest,
    arms: arms.map(({ name, runs }) => ({
      name,
      runs: runs.map(({ seed, verdicts, capabilities, measures = {} }, i) => ({
        seed: seed ?? `${i + 1}`,
        verdicts: place(verdicts),
        capabilities: capabilities && place(capabilities),
        measures: Object.fromEntries(
          Object.entries(measures).map(([key, value]) => [
            key,
            typeof value === "number" ? value : place(value),
          ]),
        ),
      })),
    })),
  };
}

/** Every file that the arms name. */
export function listFiles(arms: EvaluationFile["arms"]): readonly string[] {
  return arms
    .flatMap(({ runs }) => runs)
    .flatMap(({ verdicts, capabilities, measures }) => [
      verdicts,
      capabilities,
      ...Object.values(measures),
    ])
    .filter((each) => typeof each === "string");
}

/** Reads the verdicts and measures of all arms; capabilities are measures by their names. */
export async function readArms(arms: EvaluationFile["arms"]): Promise<readonly Arm[]> {
  const read: Arm[] = [];
  for (const { name, runs } of arms) {
    const found: ArmRun[] = [];
    for (const { seed, verdicts, capabilities, measures } of runs) {
      const values: Record<string, MeasureValues> =
        capabilities === undefined ? {} : { ...(await CAPABILITY_MEASURES.read(capabilities)) };
      for (const [measure, value] of Object.entries(measures)) {
        if (Object.hasOwn(values, measure)) {
          throw new FormatError(
            `${capabilities}: expected other capabilities than the measures of arm "${name}", got "${measure}" in both`,
          );
        }
        values[measure] = typeof value === "number" ? value : await readMeasure(value);
      }
      found.push({ seed, verdicts: await readVerdicts(verdicts), measures: values });
    }
    read.push({ name, runs: found });
  }
  return read;
}

/** Reads rows {id, value}: a measure for each item. Throws FormatError naming file and row. */
export async function readMeasure(path: string): Promise<Readonly<Record<string, number>>> {
  const values = new Map<string, number>();
  const hint = "A measure has rows {id, value}; rows count from 0.";
  for await (const { fields, fail } of readWholeRows(path, { hint })) {
    const id = ownField(fields, "id");
    const value = ownField(fields, "value");
    const number = typeof value === "boolean" ? Number(value) : value;
    if (typeof id !== "string" && typeof id !== "number") throw fail("id: expected a name");
    if (typeof number !== "number" || !Number.isFinite(number)) {
      throw fail("value: expected a number");
    }
    if (values.has(String(id))) throw fail(`the id "${id}" occurs twice`);
    values.set(String(id), number);
  }
  if (values.size === 0) throw new FormatError(`${path}: expected rows {id, value}, got none`);
  return Object.fromEntries(values);
}
