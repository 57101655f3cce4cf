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
import { partOf } from "../util/progress.ts";
import { VERSION } from "../util/version.ts";
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
  const first = firstDraws(
    tokens.map((each) => each.join()),
    samples,
  );
  const drawn = prompts.map((prompt, i) => ({ prompt, tokens: tokens[i]!, first: first[i]! }));
  const units = inUnits(drawn, Math.max(1, Math.ceil((BATCHES_PER_UNIT * batch) / samples)));
  const idsOf = (unit: readonly DrawnPrompt[]): string[] =>
    unit.flatMap(({ prompt }) => Array.from({ length: samples }, (_, i) => rolloutId(prompt, i)));
  const sink = await openRolloutSink(out, manifest, units.map(idsOf));
  const work = options.counter ?? newGenerationCounter();
  const total = prompts.length * samples;
  const resumedRollouts = units.slice(0, sink.doneUnits).flat().length * samples;
  let finished = resumedRollouts;
  options.progress?.update(finished, total);
  for (const unit of units.slice(sink.doneUnits)) {
    const before = finished;
    const progress = partOf(options.progress, (done) => [before + done, total]);
    await sink.append(
      await sampleUnit(engine, unit, { ...options, samples, counter: work, progress }),
    );
    finished += unit.length * samples;
  }
  await sink.finish();
  options.progress?.end();
  return { manifest, rollouts: total, resumedRollouts, work };
}

interface DrawnPrompt {
  readonly prompt: ScenarioPrompt;
  readonly tokens: Int32Array;
  /** Number of its first draw. */
  readonly first: number;
}

/** Prompts that are sampled and written together: the units of resume. */
function inUnits(
  prompts: readonly DrawnPrompt[],
  size: number,
): readonly (readonly DrawnPrompt[])[] {
  const count = Math.ceil(prompts.length / size);
  return Array.from({ length: count }, (_, unit) => prompts.slice(unit * size, (unit + 1) * size));
}

async function sampleUnit(
  engine: GeneratingEngine,
  unit: readonly DrawnPrompt[],
  options: GenerateOptions & { readonly samples: number },
): Promise<readonly Rollout[]> {
  const rollouts: Rollout[] = [];
  const tokens = unit.map((each) => each.tokens);
  const firstSamples = unit.map(({ first }) => first);
  const opens = unit.map(({ prompt }) => engine.opensThinking(prompt.prompt));
  for await (const each of engine.generate(tokens, { ...options, firstSamples })) {
    const { prompt: named, first } = unit[each.prompt]!; // an index into the unit
    const { scenario, variant, prompt, group, tags } = named;
    const sample = each.sample - first;
    // A stop token of the user's choice may have a text, which is not part of the response.
    const said = each.finish === "stop" ? each.tokens.subarray(0, -1) : each.tokens;
    rollouts[each.prompt * options.samples + sample] = {
      id: rolloutId(named, sample),
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
    throw new ConfigError(`${where}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

function describeRollouts(
  engine: GeneratingEngine,
  { prompts, repeats }: { readonly prompts: readonly ScenarioPrompt[]; readonly repeats: boolean },
  options: GenerateOptions,
): RolloutManifest {
  const settings = generateSettings(options);
  const { name: checkpoint, checkpointHash, tokenizerHash, templateHash } = engine.identity;
  const { steering, amplify, stopTokens = engine.stopTokens } = options;
  const { samples, maxTokens, temperature, topK = null, topP, seed, batch } = settings;
  return {
    kind: "rollouts",
    version: VERSION,
    checkpoint,
    checkpointHash,
    tokenizerHash,
    templateHash,
    promptsHash: hashValue(prompts),
    prompts: prompts.length,
    sampling: {
      samples,
      maxTokens,
      temperature,
      topK,
      topP,
      seed,
      stopTokens: [...new Set(stopTokens)].toSorted((a, b) => a - b),
      batch,
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
