import type { Engine } from "../../engine/engine.ts";
import { newGenerationCounter } from "../../engine/generation/generate-options.ts";
import { describeUnapplied } from "../../model/generation-config.ts";
import { generateRollouts, type GenerateRolloutsResult } from "../../rollouts/generate-rollouts.ts";
import { rolloutManifestPath } from "../../rollouts/rollout-manifest.ts";
import { removeRollouts } from "../../rollouts/rollout-sink.ts";
import type { ScenarioPrompt } from "../../rollouts/scenarios.ts";
import type { Checkpoint } from "../inputs/checkpoint.ts";
import type { Work } from "../verb.ts";
import type { GenerateSettings } from "./settings.ts";

/** Rollouts of a checkpoint on this machine. */
export interface SampledHere extends GenerateRolloutsResult {
  readonly out: string;
  readonly seconds: number;
}

/** Samples a checkpoint, amplified where there is one before it. */
export async function sampleHere(
  prompts: readonly ScenarioPrompt[],
  {
    checkpoint,
    before,
  }: { readonly checkpoint: Checkpoint; readonly before?: Checkpoint | undefined },
  settings: GenerateSettings,
  { out, isForced, cost, signal, progress, warn }: Omit<Work, "out"> & { readonly out: string },
): Promise<SampledHere> {
  await using engine = await checkpoint.open();
  await using other = await before?.open();
  const { rollouts: samples, stop = [], amplify, endpoint: _, ...sampling } = settings;
  const stopTokens = [...engine.stopTokens, ...stop.map((text) => engine.tokenId(text))];
  if (isForced) await removeRollouts(out);
  if (other !== undefined) warnOfSame(engine, other, warn);
  for (const line of describeUnapplied(engine.unapplied)) warn(line);
  const counter = newGenerationCounter();
  cost.watchSampling(counter);
  const startMs = performance.now();
  const result = await generateRollouts(engine, prompts, {
    ...sampling,
    samples,
    // The two come together, see wayContradictions.
    amplify: other && { before: other, alpha: amplify! },
    stopTokens,
    counter,
    out,
    signal,
    progress: progress("rollouts"),
  });
  return { out, seconds: (performance.now() - startMs) / 1000, ...result };
}

function warnOfSame(engine: Engine, before: Engine, warn: (line: string) => void): void {
  if (before.identity.checkpointHash !== engine.identity.checkpointHash) return;
  warn(
    "amplify: the checkpoint before is the checkpoint itself: there is no difference to amplify",
  );
}

/** What sampling a checkpoint came to. */
export function formatSampledHere({
  out,
  seconds,
  rollouts,
  resumedRollouts,
  work: { sampledTokens, promptTokens },
  manifest,
}: SampledHere): string {
  return [
    `${out}: ${rollouts} rollouts of ${manifest.prompts} prompts, manifest ${rolloutManifestPath(out)}`,
    ...(resumedRollouts > 0 ? [`${resumedRollouts} rollouts were there already`] : []),
    `${sampledTokens} tokens sampled in ${seconds.toFixed(1)} s (${(sampledTokens / seconds).toFixed(1)} tokens/s), ${promptTokens} prompt tokens`,
  ].join("\n");
}
