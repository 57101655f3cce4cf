/**
 * @file What a verb is: one declaration of something that Culprit does (embed, rank, edit, …), from which its command with flags and help,
 * its stage, its section of the experiment file, the JSON Schema, the settings table of the docs and the library's option types are made.
 */
import type { z } from "zod";

import type { CostMeter } from "../engine/cost.ts";
import type { EngineHost } from "../engine/engine-host.ts";
import type { Artifact } from "../util/artifact.ts";
import type { CulpritError } from "../util/errors.ts";
import type { JobOptions, Progress } from "../util/progress.ts";

/** Something that a verb reads: files, a checkpoint, the output of another verb. */
export interface Input<T = unknown, S extends z.ZodObject = z.ZodObject> {
  /** What it is, `store` or `checkpoint`; a stage takes inputs by it where nothing else is said. */
  readonly kind: string;
  /** What stands for it in usage lines: STORE, DIR. */
  readonly placeholder: string;
  /** One sentence. */
  readonly describe: string;
  /** Words after the command's name; else a flag of the input's name. */
  readonly isPositional?: boolean | undefined;
  /** Several paths at once. */
  readonly isMany?: boolean | undefined;
  readonly isOptional?: boolean | undefined;
  /** False for a word that names something built in; without it every word is a file. */
  isFile?(name: string): boolean;
  /** How it is read; these settings are in the key of a stage too. */
  readonly settings?: S | undefined;
  /** Its name in the folder of the stage that made it. */
  readonly artifact?: string | undefined;
  /** Opens it. `paths` has one entry unless `isMany`. */
  open(paths: readonly string[], settings: z.output<S>, work: OpenWork): Promise<T>;
  /** Files that must not be overwritten by outputs, where they are others than the paths as given. */
  files?(opened: T): readonly string[];
}
export type Inputs = Readonly<Record<string, Input>>;

/** The inputs as `run` gets them. */
export type Opened<I extends Inputs> = {
  readonly [K in keyof I]: I[K] extends Input<infer T>
    ? I[K]["isOptional"] extends true
      ? T | undefined
      : T
    : never;
};

/** Something that a verb writes. */
export interface Output {
  /** Its `write` writes the verb's result where `isResult` says so; else `run` writes it. */
  readonly artifact: Pick<Artifact<unknown>, "name" | "files"> & {
    write?(path: string, value: unknown): Promise<void>;
  };
  readonly placeholder: string;
  /** One sentence. */
  readonly describe: string;
  readonly isOptional?: boolean | undefined;
  /** Its name where none is given and `out` is, made of that. */
  readonly beside?: (out: string) => string;
  /** What it is on the disk; `either` where the verb tells by name or setting. Default: file. */
  readonly place?: "file" | "folder" | "either" | undefined;
  /** How its name must end. */
  readonly endings?: readonly string[] | undefined;
  /** The verb goes on with what is there, and refuses what is not its own. */
  readonly isResumable?: boolean | undefined;
  /** It is what `run` gives back, written by whoever runs the verb. */
  readonly isResult?: boolean | undefined;
  /** A place that stages share and find by content, for paid answers and the like. On the command line, by this ending beside `out`. */
  readonly shared?: string | undefined;
}
export type Outputs = Readonly<Record<string, Output>>;

/** Where the outputs go; undefined for optional ones that are not wanted. */
export type Places<O extends Outputs> = {
  readonly [K in keyof O]: O[K]["isOptional"] extends true ? string | undefined : string;
};

/** What opening an input may use. */
export interface OpenWork {
  /** Where checkpoints may run. */
  readonly engines: readonly EngineHost[];
  readonly signal: AbortSignal | undefined;
  /** Shows downloads. */
  readonly download: JobOptions;
  /** How a file that was read is called in results: as the user named it, or without its folder. */
  readonly nameOf: (path: string) => string;
  /** News. */
  readonly note: (line: string) => void;
  /** What must be known before the result is trusted. */
  readonly warn: (line: string) => void;
}

/** What a running verb may use of the world. */
export interface Work<O extends Outputs = Outputs> extends OpenWork {
  readonly out: Places<O>;
  /** Made again although it may be there. */
  readonly isForced: boolean;
  /** In whose name paid answers are kept that stages share; undefined where they are not shared. */
  readonly owner: string | undefined;
  /** A display for one part of the work; `unit` is plural. */
  readonly progress: (unit: string) => Progress;
  readonly cost: CostMeter;
}

/** A fault between settings that are each right by themselves. */
export interface Contradiction {
  /** Of a setting, or an input or output by its name. */
  readonly path: readonly (string | number)[];
  /** `expected …`. */
  readonly message: string;
}

/** A contradiction unless something is right. */
export const need = (
  isRight: boolean,
  path: Contradiction["path"],
  message: string,
): Contradiction[] => (isRight ? [] : [{ path, message }]);

/** What a verb would take. */
export interface Estimate<I extends Inputs, S extends z.ZodObject, O extends Outputs> {
  of(inputs: Opened<I>, settings: z.output<S>, work: EstimateWork<O>): Promise<object>;
  /** For people. */
  show(estimate: never): string;
}

/** What an estimate may use. */
export interface EstimateWork<O extends Outputs> extends OpenWork {
  readonly out: { readonly [K in keyof O]: string | undefined };
  readonly isForced: boolean;
}

/** See the file's head. `run` sees its inputs, its settings and nothing else: that is what a stage's key is made of. */
export interface Verb<
  I extends Inputs = Inputs,
  S extends z.ZodObject = z.ZodObject,
  O extends Outputs = Outputs,
  R = unknown,
> {
  /** Of the command and of its section in the experiment file. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Some paragraphs and examples, for help. */
  readonly about: string;
  /** Raised when the same inputs and settings give other files than before. */
  readonly version: number;
  readonly inputs: I;
  readonly settings: S;
  readonly outputs: O;
  /** Throws ConfigError, FormatError or RuntimeError naming file or setting. */
  run(inputs: Opened<I>, settings: z.output<S>, work: Work<O>): Promise<R>;
  /** The result for people; `out` is where outputs were written. */
  show(result: R, out: Places<O>): string;
  /** What must be known before the result is trusted, one line each. */
  warnings?(result: R): readonly string[];
  /** What is left to be done, so that a stage is not finished by it and stops; whoever gives the command may take the result as it is. */
  unfinished?(result: R): CulpritError | undefined;
  /** What makes a result one that nothing can go on with. It is written and shown all the same, and then this is thrown. */
  fault?(result: R, settings: z.output<S>): CulpritError | undefined;
  /** What `--force` does, where that is more than replacing files. */
  readonly force?: string | undefined;
  /** What is wrong between settings, and with inputs and optional or shared outputs, of which `given` has the names of those that are there. */
  check?(settings: z.output<S>, given: ReadonlySet<string>): readonly Contradiction[];
  /** What running it would take, asking and writing nothing: `--dry-run`. */
  readonly estimate?: Estimate<I, S, O> | undefined;
  /** Files beneath a stage's folder that do not count as its result: times, states to resume from. */
  readonly asides?: readonly string[] | undefined;
  /** Whether a stage goes on over what a killed run left. */
  readonly canResume?: boolean | undefined;
}

/** Types a declaration by what stands in it. */
export function defineVerb<
  const I extends Inputs,
  S extends z.ZodObject,
  const O extends Outputs,
  R,
>(verb: Verb<I, S, O, R>): Verb<I, S, O, R> {
  return verb;
}
