import type { ScenarioPrompt } from "../rollouts/scenarios.ts";
import type { LayerSteering, SteeredArm } from "./steering-report.ts";

/** What the reader of a report must know, one sentence each. */
export function steeringNotes(
  unsteered: SteeredArm,
  layers: readonly LayerSteering[],
): readonly string[] {
  const arms = layers.flatMap(({ grid, steered, random }) => [
    ...(grid.length > 0 || steered === undefined ? grid : [steered]),
    ...(random?.directions ?? []),
  ]);
  const missing = [unsteered, ...arms].reduce(
    (sum, { rates }) => sum + rates.reduce((of, each) => of + each.missing, 0),
    0,
  );
  const unscored = [unsteered, ...arms].reduce((sum, arm) => sum + arm.coherence.unscored, 0);
  return [
    ...layers
      .filter(({ steered }) => steered === undefined)
      .map(({ layer, reason }) => `Layer ${layer}: ${reason}. Try smaller strengths.`),
    ...layers.flatMap(incoherentNotes),
    ...(missing === 0 ? [] : [`${missing} verdicts of these arms are missing, and in no rate.`]),
    ...(unscored === 0 ? [] : [`${unscored} responses could not be scored for coherence.`]),
  ];
}

function incoherentNotes({ steered, random }: LayerSteering): readonly string[] {
  const broken = (random?.directions ?? []).filter(({ isCoherent }) => !isCoherent);
  const isLeftOut = broken.length < (random?.directions.length ?? 0);
  return [
    ...(steered === undefined || steered.isCoherent
      ? []
      : [`${steered.name}: the text is not coherent, so its rate says nothing of the behaviour.`]),
    ...broken.map(
      ({ name }) =>
        `${name}: the text is not coherent, so its rate says nothing${isLeftOut ? ", and it is in no comparison" : ""}.`,
    ),
  ];
}

/** How many scenarios of the prompts are among those that a behaviour was made from. */
export function countShared(
  prompts: readonly Pick<ScenarioPrompt, "scenario">[],
  madeFrom: readonly string[],
): number {
  const made = new Set(madeFrom);
  return new Set(prompts.map(({ scenario }) => scenario).filter((id) => made.has(id))).size;
}

/** What the reader of a steering must know of them. */
export function describeShared(shared: number): string {
  return `${shared} scenarios are of those that the behaviour was made from: take others to measure it`;
}
