/** @file The stage of a verb: what it reads and where that comes from, its key, and its run, which sees nothing else. */
import { basename, join } from "node:path";

import type { z } from "zod";

import { ENGINES } from "../engine/engines.ts";
import { readSkipped, writeSkipped } from "../runs/stage-record.ts";
import { type CulpritError, NothingToDoError, RuntimeError } from "../util/errors.ts";
import { silentProgress } from "../util/progress.ts";
import { countedSettings } from "../verbs/list-settings.ts";
import { writeResult } from "../verbs/run-verb.ts";
import { renameSetting } from "../verbs/setting-errors.ts";
import type { Inputs, OpenWork, Outputs, Places, Verb } from "../verbs/verb.ts";
import { type Stage, stageId, type StageInput, type StageWork } from "./stage.ts";

/** Where an input of a verb comes from. */
export type Bound<T> = BoundStage<T> | BoundStages<T> | BoundContent<T>;

/** The output of an earlier stage. */
export interface BoundStage<T> {
  readonly stage: string;
  /** Its file or folder there; default: as the input says. */
  readonly artifact?: string | undefined;
  /** How it is read. */
  readonly settings?: object | undefined;
  /** Opens it otherwise than the input would. */
  readonly open?: ((path: string, work: OpenWork) => T | Promise<T>) | undefined;
}

/** The outputs of several earlier stages, by a name of each. */
export interface BoundStages<T> {
  readonly stages: Readonly<Record<string, string>>;
  readonly settings?: object | undefined;
  /** `folder` gives that of a name. */
  readonly open: (folder: (name: string) => string, work: OpenWork) => T | Promise<T>;
}

/** Something from outside, of which only the content counts. */
export interface BoundContent<T> {
  readonly content: string;
  /** The setting of the experiment file that names it; default: the input's name in the verb's section. */
  readonly setting?: string | undefined;
  /** What else about it decides the result: how it is read, which columns are kept. */
  readonly settings?: object | undefined;
  /** `folder` gives that of an input that is a stage. */
  readonly open: (work: OpenWork, folder: (input: string) => string) => T | Promise<T>;
}

/** Where the inputs of a verb come from; optional ones may have none. */
type BoundInputs<I extends Inputs> = {
  readonly [K in keyof I as I[K]["isOptional"] extends true ? never : K]: BoundInput<I[K]>;
} & {
  readonly [K in keyof I as I[K]["isOptional"] extends true ? K : never]?:
    | BoundInput<I[K]>
    | undefined;
};
type BoundInput<I> = I extends { open(...args: never[]): Promise<infer T> } ? Bound<T> : never;

/** How an experiment uses a verb. */
interface VerbStagePlan<I extends Inputs, S extends z.ZodObject, O extends Outputs> {
  /** Default: the verb's name. */
  readonly kind?: string | undefined;
  /** Tells stages of one kind apart. */
  readonly name?: string | undefined;
  /** With defaults filled in. */
  readonly settings: z.output<S>;
  readonly inputs: BoundInputs<I>;
  /** Optional outputs that are wanted beside the result; the others always are. */
  readonly outputs?: readonly (keyof O & string)[] | undefined;
  /** Why the stage is skipped, and the run goes on, where this error ends it. */
  readonly skipsOn?: ((error: unknown) => string | undefined) | undefined;
  readonly estimate?: Stage["estimate"] | undefined;
}

/** The stage of a verb. Its key has the verb's name and version, its settings but for those that change no result, and its inputs. */
export function verbStage<I extends Inputs, S extends z.ZodObject, O extends Outputs, R>(
  verb: Verb<I, S, O, R>,
  plan: VerbStagePlan<I, S, O>,
): Stage {
  const { kind = verb.name, name = "", settings, outputs = [], estimate } = plan;
  const bound = Object.entries(plan.inputs as Record<string, Bound<unknown> | undefined>).filter(
    (entry): entry is [string, Bound<unknown>] => entry[1] !== undefined,
  );
  const reading = bound.flatMap(([input, each]) =>
    each.settings === undefined ? [] : [[input, each.settings] as const],
  );
  return {
    kind,
    name,
    version: verb.version,
    settings: {
      ...(countedSettings(verb.settings, settings) as object), // an object of settings
      ...(reading.length > 0 && { reading: Object.fromEntries(reading) }),
    },
    inputs: Object.fromEntries(bound.flatMap(toStageInputs)),
    asides: verb.asides ?? [],
    canResume: verb.canResume === true,
    estimate,
    run: async (work) => {
      const reason = await skippedInput(bound, work);
      if (reason !== undefined) return markSkipped(reason, work);
      const out = placesOf(verb.outputs, new Set(outputs), work);
      try {
        const opened = await openBound(verb.inputs, bound, work);
        const result = await verb.run(opened as Parameters<typeof verb.run>[0], settings, {
          ...openWork(work),
          out: out as Places<O>, // those wanted and those always written
          isForced: work.isForced,
          owner: basename(work.directory),
          progress: work.progress,
          cost: work.cost,
        });
        await writeResult(verb.outputs, out, result);
        const unfinished = verb.unfinished?.(result);
        if (unfinished !== undefined) throw namedBy(unfinished, stageId({ kind, name }), verb);
        const fault = verb.fault?.(result, settings);
        if (fault !== undefined) {
          // There will be no table to show it.
          const lines = verb.show(result, out as Places<O>).split("\n");
          for (const line of lines) openWork(work).note(line);
          throw fault;
        }
        for (const line of verb.warnings?.(result) ?? []) openWork(work).warn(line);
        return portable(verb.show(result, out as Places<O>), [work.directory, work.cache]);
      } catch (error) {
        const skipped = error instanceof NothingToDoError ? error.message : plan.skipsOn?.(error);
        if (skipped !== undefined) return skip(skipped, bound, work);
        throw renameSetting(error, verb, (each) => settingOf(each, verb, bound));
      }
    },
  };
}

/** Inputs by name, with what each comes from. */
type Bindings = readonly (readonly [string, Bound<unknown>])[];

/** What the experiment file calls a setting or an input of a verb. */
function settingOf(name: string, verb: { readonly name: string }, bound: Bindings): string {
  const input = bound.find(([each]) => each === name)?.[1];
  const setting = input !== undefined && "content" in input ? input.setting : undefined;
  return setting ?? `${verb.name}.${name}`;
}

/** An error with the stage before its message. */
function namedBy(error: CulpritError, id: string, verb: Verb): CulpritError {
  const renamed = renameSetting(error, verb, (each) => `${verb.name}.${each}`) as CulpritError; // or the same
  return new RuntimeError(`${id}: ${renamed.message}`, { hint: renamed.hint, cause: error });
}

function toStageInputs([name, bound]: readonly [string, Bound<unknown>]): [string, StageInput][] {
  if ("stage" in bound) return [[name, { stage: bound.stage }]];
  if ("content" in bound) return [[name, { content: bound.content }]];
  return Object.entries(bound.stages).map(([each, stage]) => [each, { stage }]);
}

async function skippedInput(bound: Bindings, work: StageWork): Promise<string | undefined> {
  for (const [name, each] of bound) {
    const reason = "stage" in each ? await readSkipped(work.input(name)) : undefined;
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Marks the stage as skipped, and gives back what there is to show of it. */
async function skip(reason: string, bound: Bindings, work: StageWork): Promise<string> {
  const folders = bound.flatMap(([name, each]) => ("stage" in each ? [work.input(name)] : []));
  const named = portable(reason, folders);
  openWork(work).note(`skipped: ${named}`);
  return markSkipped(named, work);
}

async function markSkipped(reason: string, { directory }: StageWork): Promise<string> {
  await writeSkipped(directory, reason);
  return `skipped: ${reason}`;
}

/** A text without the paths of these folders: what is read later may lie elsewhere. */
const portable = (text: string, folders: readonly string[]): string =>
  folders.reduce((found, folder) => found.replaceAll(`${folder}/`, ""), text);

function placesOf(
  outputs: Outputs,
  wanted: ReadonlySet<string>,
  { directory, cache }: StageWork,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { isOptional, isResult, shared, artifact }]) => {
      if (shared !== undefined) return [name, join(cache, artifact.name)];
      const isWritten = isOptional !== true || isResult === true || wanted.has(name);
      return [name, isWritten ? join(directory, artifact.name) : undefined];
    }),
  );
}

async function openBound(
  inputs: Inputs,
  bound: Bindings,
  work: StageWork,
): Promise<Record<string, unknown>> {
  const opened: Record<string, unknown> = {};
  for (const [name, each] of bound) {
    const input = inputs[name]!; // bound by the names of the verb's inputs
    if (!("stage" in each)) {
      opened[name] = await ("content" in each
        ? each.open(openWork(work), work.input)
        : each.open(work.input, openWork(work)));
      continue;
    }
    const path = join(work.input(name), each.artifact ?? input.artifact ?? "");
    opened[name] =
      each.open === undefined
        ? await input.open([path], input.settings?.parse(each.settings ?? {}) ?? {}, openWork(work))
        : await each.open(path, openWork(work));
  }
  return opened;
}

/** News of a stage go to its display; a warning is a line of news that says so. */
function openWork({ signal, progress, engines = ENGINES }: StageWork): OpenWork {
  const note = (line: string): void => progress("").note(line);
  return {
    engines,
    signal,
    download: { progress: silentProgress, signal },
    // Results hold no path of this machine.
    nameOf: (path) => basename(path),
    note,
    warn: (line) => note(`warning: ${line}`),
  };
}
