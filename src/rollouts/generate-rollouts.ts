import type { GeneratingEngine } from "../engine/engine.ts";
import {
  type GenerateOptions,
  generateSettings,
  type GenerationCounter,
  newGenerationCounter,
} from "../engine/generation/generate-options.ts";
import { type Steering, steeredDirections } from "../engine/generation/steering.ts";
import { CulpritError, ConfigError } from "../util/errors.ts";
import { hashBytes, hashValue } from "../util/hash.ts";
import type { Progress } from "../util/progress.ts";
import { VERSION } from "../util/version.ts";
import { endsInThinking } from "./opened-thinking.ts";
import { firstDraws } from "./own-draws.ts";
import type { RolloutManifest } from "./rollout-manifest.ts";
import { openRolloutSink } from "./rollout-sink.ts";
import { type Rollout, rolloutId } from "./rollouts.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

/** Prompts of one unit have so many times the samples that run side by side: few enough to lose, enough to keep the batch full. */
const BATCHES_PER_UNIT = 8;

export interface GenerateRolloutsOptions extends Omit<
  GenerateOptions,
  "firstSample" | "firstSamples"
> {
  /** The rollout file, .jsonl or .parquet. Its manifest is `<out>.json`. */
  readonly out: string;
}

export interface GenerateRolloutsResult {
  readonly manifest: RolloutManifest;
  readonly rollouts: number;
  /** Of them, there already from an earlier run. */
  readonly resumedRollouts: number;
  /** Work done by this run, on top of what `counter` held. */
  readonly work: GenerationCounter;
}

/**
 * Samples responses to every prompt and writes them, prompt by prompt, sample by sample. Where a prompt is there again its samples are
 * further draws (see firstDraws), so that no rollout is another one over. A run that was killed goes on after the last
 * whole unit of prompts and ends with the same bytes as one that was not; the finished file is left as it is. Throws ConfigError
 * where a prompt cannot be used, two have one scenario and variant, or the file was made with other settings.
 */
export async function generateRollouts(
  engine: GeneratingEngine,
  prompts: readonly ScenarioPrompt[],
  { out, ...options }: GenerateRolloutsOptions,
): Promise<GenerateRolloutsResult> {
  const tokens = tokenizePrompts(engine, prompts);
  const repeats = new Set(tokens.map((each) => each.join())).size < tokens.length;
  const manifest = describeRollouts(engine, { prompts, repeats }, options);
  // Refuses what does not fit the checkpoint before anything is written; nothing is sampled until somebody asks for it.
  engine.generate([], options);
  const { samples, batch } = manifest.sampling;
  const units = planUnits(prompts, Math.max(1, Math.ceil((BATCHES_PER_UNIT * batch) / samples)));
  const idsOf = (unit: Unit): string[] =>
    unit.prompts.flatMap((prompt) =>
      Array.from({ length: samples }, (_, sample) => rolloutId(prompt, sample)),
    );
  const sink = await openRolloutSink(out, manifest, units.map(idsOf));
  const work = options.counter ?? newGenerationCounter();
  const first = firstDraws(
    tokens.map((each) => each.join()),
    samples,
  );
  const total = prompts.length * samples;
  const sum = (some: readonly Unit[]): number =>
    some.reduce((count, unit) => count + unit.prompts.length * samples, 0);
  const resumedRollouts = sum(units.slice(0, sink.doneUnits));
  let finished = resumedRollouts;
  options.progress?.update(finished, total);
  for (const unit of units.slice(sink.doneUnits)) {
    const rollouts = await sampleUnit(engine, unit, {
      ...options,
      tokens: tokens.slice(unit.first, unit.first + unit.prompts.length),
      firstSamples: first.slice(unit.first, unit.first + unit.prompts.length),
      samples,
      counter: work,
      progress: partOf(options.progress, finished, total),
    });
    await sink.append(rollouts);
    finished += rollouts.length;
  }
  await sink.finish();
  options.progress?.end();
  return { manifest, rollouts: total, resumedRollouts, work };
}

/** So many last tokens of a prompt say whether it ends within thinking. */
const PROMPT_END = 16;

/** Prompts that are sampled and written together: the unit of resume. */
interface Unit {
  readonly first: number;
  readonly prompts: readonly ScenarioPrompt[];
}

function planUnits(prompts: readonly ScenarioPrompt[], size: number): readonly Unit[] {
  const units: Unit[] = [];
  for (let first = 0; first < prompts.length; first += size) {
    units.push({ first, prompts: prompts.slice(first, first + size) });
  }
  return units;
}

async function sampleUnit(
  engine: GeneratingEngine,
  { prompts }: Unit,
  {
    tokens,
    samples,
    firstSamples,
    ...options
  }: GenerateOptions & {
    readonly tokens: readonly Int32Array[];
    readonly samples: number;
    readonly firstSamples: readonly number[];
  },
): Promise<readonly Rollout[]> {
  const rollouts: Rollout[] = [];
  const opens = tokens.map((each) => endsInThinking(engine.decode(each.slice(-PROMPT_END))));
  for await (const each of engine.generate(tokens, { ...options, samples, firstSamples })) {
    const { scenario, variant, prompt, group, tags } = prompts[each.prompt]!; // an index into the unit
    const sample = each.sample - firstSamples[each.prompt]!;
    // A stop token of the user's choice may have a text, which is not part of the response.
    const said = each.finish === "stop" ? each.tokens.subarray(0, -1) : each.tokens;
    rollouts[each.prompt * samples + sample] = {
      id: rolloutId(prompts[each.prompt]!, sample),
      scenario,
      variant,
      sample,
      prompt,
      response: engine.decode(said),
      opensThinking: opens[each.prompt] === true ? true : undefined,
      finish: each.finish,
      tokens: each.tokens.length,
      group,
      tags,
    };
  }
  return rollouts;
}

function tokenizePrompts(
  engine: GeneratingEngine,
  prompts: readonly ScenarioPrompt[],
): readonly Int32Array[] {
  if (prompts.length === 0) throw new ConfigError("generate: expected prompts, got none");
  const seen = new Set<string>();
  return prompts.map((each) => {
    const where = `scenario ${JSON.stringify(each.scenario)}, variant ${JSON.stringify(each.variant)}`;
    const id = rolloutId(each, 0);
    if (seen.has(id)) throw new ConfigError(`${where}: there is another prompt of that name`);
    seen.add(id);
    const tokens = tokenizeOne(engine, each, where);
    if (tokens.length < engine.contextLength) return tokens;
    throw new ConfigError(
      `${where}: expected a prompt of fewer than ${engine.contextLength} tokens, the model's context, got ${tokens.length}`,
      { hint: "Shorten the prompt or leave it out." },
    );
  });
}

function tokenizeOne(
  engine: GeneratingEngine,
  { prompt }: ScenarioPrompt,
  where: string,
): Int32Array {
  try {
    return engine.tokenizePrompt(prompt);
  } catch (error) {
    if (!(error instanceof CulpritError)) throw error;
    throw new ConfigError(`${where}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}

function describeRollouts(
  engine: GeneratingEngine,
  { prompts, repeats }: { readonly prompts: readonly ScenarioPrompt[]; readonly repeats: boolean },
  options: GenerateOptions,
): RolloutManifest {
  const settings = generateSettings(options);
  const { name, checkpointHash, tokenizerHash, templateHash } = engine.identity;
  const { steering, amplify, stopTokens = engine.stopTokens } = options;
  return {
    kind: "rollouts",
    version: VERSION,
    checkpoint: name,
    checkpointHash,
    tokenizerHash,
    templateHash,
    promptsHash: hashValue(prompts),
    prompts: prompts.length,
    sampling: {
      samples: settings.samples,
      maxTokens: settings.maxTokens,
      temperature: settings.temperature,
      topK: settings.topK ?? null,
      topP: settings.topP,
      seed: settings.seed,
      stopTokens: [...new Set(stopTokens)].toSorted((a, b) => a - b),
      batch: settings.batch,
      repeats: repeats ? "own draws" : undefined,
    },
    steering: steering === undefined ? null : describeSteering(steering),
    amplify:
      amplify === undefined
        ? null
        : { beforeHash: amplify.before.identity.checkpointHash, alpha: amplify.alpha },
  };
}

function describeSteering(steering: Steering): RolloutManifest["steering"] {
  const directions = [...steeredDirections(steering)].toSorted(([a], [b]) => a - b);
  return {
    kind: steering.kind,
    directions: directions.map(([layer, vector]) => ({
      layer,
      hash: hashBytes(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)),
    })),
    strength: steering.kind === "add" ? steering.strength : null,
  };
}

/** A unit's progress as part of the whole. */
function partOf(
  progress: Progress | undefined,
  before: number,
  total: number,
): Progress | undefined {
  if (progress === undefined) return undefined;
  const update = (done: number): void => progress.update(before + done, total);
  return { update, note: (line) => progress.note(line), end: () => {} };
}
