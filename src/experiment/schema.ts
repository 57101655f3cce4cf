/** @file The schema of the experiment file: its sections, those of further verbs, and what must fit together between them. */
import { z } from "zod";

import { VERBS } from "../verbs/index.ts";
import { type JsonSchema, publicJsonSchema } from "../verbs/json-schema.ts";
import { path } from "../verbs/settings/common.ts";
import type { Contradiction, Verb } from "../verbs/verb.ts";
import { at, contradictions } from "./contradictions.ts";
import { type Experiment, sections } from "./sections.ts";

/**
 * The schema of an experiment file; paths are relative to the file that it was read from. Verbs without a place above have the section of
 * their name.
 */
export function experimentSchemaOf(verbs: readonly Verb[]): z.ZodType<Experiment> {
  const others = withoutPlace(verbs).map((verb) => [verb.name, otherSection(verb)] as const);
  return z
    .strictObject({ ...sections, ...Object.fromEntries(others) })
    .superRefine((experiment, context) => {
      const further = furtherVerbs(experiment, verbs).flatMap(checkFurther);
      for (const { path: place, message } of [...contradictions(experiment), ...further]) {
        context.addIssue({ code: "custom", path: [...place], message });
      }
    })
    .describe("An experiment of culprit run.");
}

/** Verbs that an experiment has by another name, or not at all. */
const PLANNED: ReadonlySet<string> = new Set([
  "edit",
  "import",
  "doctor",
  "report",
  "show",
  "forecast", // of many behaviours, where an experiment is about one
  "shifts",
  "elicit", // an experiment's behaviour is what training brought out
]);

const withoutPlace = (verbs: readonly Verb[]): readonly Verb[] =>
  verbs.filter(({ name }) => !Object.hasOwn(sections, name) && !PLANNED.has(name));

/** A verb that the stages know nothing special of, with its section. */
export interface FurtherVerb {
  readonly verb: Verb;
  readonly section: Readonly<Record<string, unknown>>;
}

/** Verbs without a place of their own that the experiment has a section of. */
export function furtherVerbs(
  experiment: Experiment,
  verbs: readonly Verb[] = VERBS,
): readonly FurtherVerb[] {
  const sectionOf = experiment as Readonly<Record<string, unknown>>;
  return withoutPlace(verbs).flatMap((verb) => {
    const section = sectionOf[verb.name];
    return section === undefined
      ? []
      : [{ verb, section: section as Readonly<Record<string, unknown>> }]; // otherSection
  });
}

/** The verb's own settings of its section. */
export const settingsOf = ({ verb, section }: FurtherVerb): z.output<z.ZodObject> =>
  Object.fromEntries(Object.keys(verb.settings.shape).map((name) => [name, section[name]]));

/** What the verb finds wrong: it has what stages make, the files that are named, and all its outputs. */
function checkFurther({ verb, section }: FurtherVerb): readonly Contradiction[] {
  const inputs = Object.entries(verb.inputs)
    .filter(([name, { kind }]) => STAGE_MADE.has(kind) || section[name] !== undefined)
    .map(([name]) => name);
  const given = new Set([...inputs, ...Object.keys(verb.outputs)]);
  return at([verb.name], verb.check?.(settingsOf({ verb, section }), given));
}

/** A verb that is done once where its section is there: its settings, and files that no stage makes. */
function otherSection({ settings, inputs, summary }: Verb): z.ZodType {
  const files = Object.entries(inputs).flatMap(([name, { kind, describe }]) =>
    STAGE_MADE.has(kind) ? [] : [[name, path.optional().describe(describe)] as const],
  );
  return settings.extend(Object.fromEntries(files)).optional().describe(summary);
}

/** Kinds of inputs that an experiment has of its own. */
export const STAGE_MADE: ReadonlySet<string> = new Set([
  "pairs",
  "checkpoint",
  "store",
  "behavior",
  "ranking",
]);

/** An experiment file with every verb that there is. */
export const experimentSchema = experimentSchemaOf(VERBS);

/** JSON Schema of the experiment file as people write it (draft 2020-12), for editors. */
export function experimentJsonSchema(): JsonSchema {
  return publicJsonSchema(experimentSchema);
}
