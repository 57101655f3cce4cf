/** @file One arm of a steering: its rollouts, verdicts and coherence, each kept on disk and taken from there by a later run. */
import type { Engine } from "../engine/engine.ts";
import {
  type GenerationCounter,
  newGenerationCounter,
} from "../engine/generation/generate-options.ts";
import type { Steering } from "../engine/generation/steering.ts";
import { isMissing, type Verdict, writeVerdicts } from "../judge/verdict.ts";
import { generateRollouts } from "../rollouts/generate-rollouts.ts";
import type { RolloutManifest } from "../rollouts/rollout-manifest.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import { hashValue } from "../util/hash.ts";
import { makeFolder } from "../util/make-folder.ts";
import { partOf } from "../util/progress.ts";
import { armPaths } from "./arm-files.ts";
import { ARM_COHERENCE, measureCoherence } from "./coherence.ts";
import { armRates } from "./steered-rates.ts";
import type { Coherence, SteeredArm, SteerOptions, SteerRequest } from "./steering-report.ts";

/** An arm with what it is compared by. */
export interface RanArm<Arm extends SteeredArm = SteeredArm> {
  readonly arm: Arm;
  /** Without the judge's words. */
  readonly verdicts: readonly Verdict[];
}

/** Runs arms one after the other. */
export interface ArmRunner {
  run(name: string, steering?: Steering): Promise<RanArm>;
  /** The settings of the last arm's rollouts; undefined before the first. */
  manifest(): RolloutManifest | undefined;
  /** Sampling done so far. */
  readonly work: Readonly<GenerationCounter>;
}

/** A runner whose arms go to folders beneath `arms/`. */
export function createArmRunner(
  engine: Engine,
  { prompts, judge }: Pick<SteerRequest, "prompts" | "judge">,
  { out, progress, counter: work = newGenerationCounter(), ...sampling }: SteerOptions,
): ArmRunner {
  const job = { signal: sampling.signal };
  let manifest: RolloutManifest | undefined;
  return {
    work,
    manifest: () => manifest,
    run: async (name, steering) => {
      const paths = armPaths(out, name);
      await makeFolder(paths.folder);
      const generated = await generateRollouts(engine, prompts, {
        ...sampling,
        // The display is the caller's until the last arm has ended.
        progress: partOf(progress, (done, total) => [done, total]),
        counter: work,
        out: paths.rollouts,
        steering,
      });
      manifest = generated.manifest;
      const verdicts: Verdict[] = [];
      const judged = judge.judge(readRollouts(paths.rollouts, job), job);
      await writeVerdicts(paths.verdicts, keeping(judged, verdicts));
      const coherence = await keptCoherence(paths.coherence, hashValue(manifest), () =>
        measureCoherence(engine, readRollouts(paths.rollouts, job), job),
      );
      return { arm: { name, coherence, rates: armRates([verdicts], prompts) }, verdicts };
    },
  };
}

async function* keeping(
  verdicts: AsyncIterable<Verdict>,
  kept: Verdict[],
): AsyncGenerator<Verdict> {
  for await (const verdict of verdicts) {
    const { rollout, scenario, variant, sample } = verdict;
    const place = { rollout, scenario, variant, sample };
    kept.push(
      isMissing(verdict)
        ? { ...place, missing: verdict.missing }
        : { ...place, label: verdict.label },
    );
    yield verdict;
  }
}

/** The coherence in a file where it is that of the same rollouts, else a new one, which goes there. */
async function keptCoherence(
  path: string,
  rollouts: string,
  measure: () => Promise<Coherence>,
): Promise<Coherence> {
  const kept = await ARM_COHERENCE.find(path);
  if (kept?.rollouts === rollouts) return kept.coherence;
  const coherence = await measure();
  await ARM_COHERENCE.write(path, { rollouts, coherence });
  return coherence;
}
