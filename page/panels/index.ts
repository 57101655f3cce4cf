import { behaviorPanel } from "./behavior.tsx";
import { discoveryPanel } from "./discovery.tsx";
import { forecastPanel } from "./forecast.tsx";
import { membershipPanel } from "./membership.tsx";
import { methodsPanel } from "./methods.tsx";
import { overviewPanel } from "./overview.tsx";
import { pairPanel } from "./pair.tsx";
import { pairsPanel } from "./pairs.tsx";
import type { Panel } from "./panel.ts";
import { progressPanel } from "./progress.tsx";
import { provenancePanel } from "./provenance.tsx";
import { reviewPanel } from "./review.tsx";
import { sourcesPanel } from "./sources.tsx";

/** Every page of the report, in the order of the menu: another one is a file and its line here. */
export const PANELS: readonly Panel[] = [
  overviewPanel,
  behaviorPanel,
  pairsPanel,
  pairPanel,
  sourcesPanel,
  methodsPanel,
  discoveryPanel,
  forecastPanel,
  provenancePanel,
  reviewPanel,
  membershipPanel,
  progressPanel,
];
