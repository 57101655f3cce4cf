import { describeUnapplied } from "../model/generation-config.ts";
import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import {
  CAPABILITY_MEASURES,
  type CapabilityMeasures,
  measureAnswers,
  measurePreferences,
  measureTasks,
} from "../rates/measure-capabilities.ts";
import { askedSettings, checkpointInput } from "./inputs/checkpoint.ts";
import { openingOptions, otherFile } from "./inputs/files.ts";
import { noteColumns } from "./inputs/note-columns.ts";
import { notePairs } from "./inputs/pairs.ts";
import { resultOutput } from "./outputs.ts";
import { samplingSettings } from "./settings/sampling.ts";
import { formatCapabilities } from "./show/capabilities.ts";
import { defineVerb, type Input, need } from "./verb.ts";

/** How its rows are laid out is detected; nothing but the pairs is read. */
const heldOutInput = {
  kind: "pairs",
  placeholder: "FILE",
  describe: "Held-out preference pairs: how often the chosen side is the likelier one.",
  isOptional: true,
  open: async (paths, _settings, work) => {
    const pairs = await openPairs(paths, openingOptions(work));
    notePairs(pairs, work);
    return pairs;
  },
  files: ({ files }) => files.map(({ path }) => path),
} as const satisfies Input<PairSet>;

const file = (kind: string, describe: string) =>
  ({
    ...otherFile(kind, `${kind}.jsonl`, { placeholder: "FILE", describe }),
    isOptional: true,
  }) as const;

export const capabilities = defineVerb({
  name: "capabilities",
  summary:
    "What a checkpoint can do beside the behaviour: preferences, answers, tasks, over-refusal",
  about: `
Measures, item by item, what must not get worse where data are edited:
  preferences   1 where the chosen side of a held-out pair has the higher log-probability per token, 1/2 where both are equal
  answers       log-probability per token of a good answer, in nats
  tasks         1 where the likeliest response matches the task's pattern, a JavaScript regular expression, anywhere
  over-refusal  the same for harmless requests, the pattern that of a refusal: lower is better

Pairs and answers that the template refuses, or whose prompt does not fit the checkpoint, are left out; longer responses are cut.
culprit evaluate compares checkpoints item by item: its FILE names what this command wrote as the capabilities of a run.

  culprit capabilities --checkpoint ./dpo --pairs held-out.jsonl --tasks tasks.jsonl --out capabilities.json`,
  version: 4,
  inputs: {
    checkpoint: {
      ...checkpointInput,
      settings: askedSettings,
      describe: "The checkpoint to measure: a Hugging Face folder, or hf://owner/name@revision.",
    },
    pairs: heldOutInput,
    answers: file(
      "answers",
      "Held-out good answers {prompt, response}: their log-likelihood per token.",
    ),
    tasks: file(
      "tasks",
      "Tasks {prompt, pattern}: how often the likeliest response matches the pattern.",
    ),
    overRefusal: file(
      "tasks",
      "Harmless requests {prompt, pattern}, the pattern that of a refusal: how often the likeliest response matches; lower is better.",
    ),
  },
  settings: samplingSettings.pick({ maxTokens: true }),
  check: (_settings, given) =>
    need(
      ["pairs", "answers", "tasks", "overRefusal"].some((name) => given.has(name)),
      ["pairs"],
      "expected held-out pairs, answers or tasks to measure, got none",
    ),
  outputs: {
    out: resultOutput(CAPABILITY_MEASURES, "The measures to write, item by item, as JSON."),
  },
  run: async (
    { checkpoint, pairs, answers, tasks, overRefusal },
    { maxTokens },
    work,
  ): Promise<CapabilityMeasures> => {
    const { signal, progress, warn } = work;
    await using engine = await checkpoint.open();
    const isSampled = tasks !== undefined || overRefusal !== undefined;
    for (const line of isSampled ? describeUnapplied(engine.unapplied) : []) warn(line);
    const job = { progress: progress("items"), signal, warn };
    const matched = (path: string) => measureTasks(engine, path, { ...job, maxTokens });
    const measures = {
      ...(pairs && { preferences: await measurePreferences(engine, pairs, job) }),
      ...(answers && { answers: await measureAnswers(engine, answers, job) }),
      ...(tasks && { tasks: await matched(tasks) }),
      ...(overRefusal && { overRefusal: await matched(overRefusal) }),
    };
    if (answers !== undefined) await noteColumns(answers, "examples", work);
    for (const path of [tasks, overRefusal]) {
      if (path !== undefined) await noteColumns(path, "tasks", work);
    }
    return measures;
  },
  show: formatCapabilities,
});
