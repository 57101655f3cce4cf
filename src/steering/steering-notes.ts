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
