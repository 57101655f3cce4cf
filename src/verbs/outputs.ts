/** @file Kinds of outputs that several verbs have. */
import type { Output } from "./verb.ts";

/** One file or folder that `run` writes itself; `name` is its own in a stage's folder. */
export const fileNamed = (name: string): Output["artifact"] => ({ name, files: (path) => [path] });

/** What `run` gives back, as JSON where it is asked for. */
export const resultOutput = (
  artifact: Output["artifact"],
  describe: string,
): Output & { readonly isOptional: true } => ({
  artifact,
  placeholder: "FILE",
  describe,
  isOptional: true,
  isResult: true,
});

/** Where paid answers are kept and looked up; `shared` is its ending beside `out`. */
export const answersOutput = (
  name: string,
  whose: string,
  shared = ".answers.jsonl",
): Output & { readonly isOptional?: never } => ({
  artifact: fileNamed(name),
  placeholder: "FILE",
  describe: `Where paid answers of an ${whose} are kept and looked up.`,
  shared,
  isResumable: true,
});
