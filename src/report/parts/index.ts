import { auditPart } from "./audit.ts";
import { behaviorPart } from "./behavior.ts";
import { discoveryPart } from "./discovery.ts";
import { forecastPart } from "./forecast.ts";
import { generatorsPart } from "./generators.ts";
import { membershipPart } from "./membership.ts";
import { overviewPart } from "./overview.ts";
import { provenancePart } from "./provenance.ts";
import { rankingsPart } from "./rankings.ts";
import { scenariosPart } from "./scenarios.ts";

/** Every part of a report: another one is a file and its line here. */
export const PARTS = [
  overviewPart,
  behaviorPart,
  scenariosPart,
  rankingsPart,
  auditPart,
  discoveryPart,
  forecastPart,
  membershipPart,
  generatorsPart,
  provenancePart,
] as const;

type Part = (typeof PARTS)[number];
export type PartName = Part["name"];

/** What the page gets of each part. */
export type PartValues = {
  readonly [N in PartName]: NonNullable<
    Awaited<ReturnType<Extract<Part, { readonly name: N }>["read"]>>
  >;
};
