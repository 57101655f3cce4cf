import type { LayerSteering, SteeredArm } from "./steering-report.ts";

/** What the reader of a report must know, one sentence each. */
export function steeringNotes(
  unsteered: SteeredArm,
  layers: readonly LayerSteering[],
): readonly string[] {
  const arms = layers.flatMap(({ steered, random }) => [
    ...(steered === undefined ? [] : [steered]),
    ...(random?.directions ?? []),
  ]);
  const missing = [unsteered, ...arms].flatMap(({ name, rates }) =>
    rates.flatMap((each) =>
      each.missing === 0 ? [] : [`${name}, ${each.variant}: ${each.missing}`],
    ),
  );
  const unscored = [unsteered, ...arms].reduce((sum, arm) => sum + arm.coherence.unscored, 0);
  return [
    ...layers
      .filter(({ steered }) => steered === undefined)
      .map(({ layer, reason }) => `Layer ${layer}: ${reason}. Try smaller strengths.`),
    ...arms
      .filter(({ isCoherent }) => !isCoherent)
      .map(({ name }) => `${name}: the text is not coherent, so its rate says little.`),
    ...(missing.length === 0
      ? []
      : [`Verdicts that are missing, and in no rate: ${missing.join("; ")}.`]),
    ...(unscored === 0 ? [] : [`${unscored} responses could not be scored for coherence.`]),
  ];
}
