import { join } from "node:path";

import { BEHAVIOR_REPORT } from "../behavior/behavior-file.ts";
import type { LayerDiagnostics } from "../behavior/diagnostics.ts";

/** The layer whose ranking an experiment uses. */
export interface ChosenLayer {
  readonly layer: number;
  /** One sentence. */
  readonly layerReason: string;
}

/**
 * The layer named by the user, or with "auto" the one that was chosen for the behaviour (behavior/layer-choice.ts); where none
 * was, the one whose vector agrees best between halves of the prompts, so that the run goes on. Reads behavior.json in the
 * behaviour stage's folder.
 */
export async function chooseLayer(
  behaviorFolder: string,
  asked: number | "auto",
): Promise<ChosenLayer> {
  const { diagnostics, layerChoice } = await BEHAVIOR_REPORT.read(
    join(behaviorFolder, BEHAVIOR_REPORT.name),
  );
  if (asked !== "auto") return { layer: asked, layerReason: "named in the experiment file" };
  return layerChoice.kind === "chosen"
    ? { layer: layerChoice.layer, layerReason: layerChoice.reason }
    : mostConsistent(diagnostics, layerChoice.reason);
}

function mostConsistent(diagnostics: readonly LayerDiagnostics[], doubt: string): ChosenLayer {
  const [best] = diagnostics.toSorted((a, b) => agreement(b) - agreement(a));
  if (best === undefined) throw new Error("internal: a behaviour without layers");
  const found = Number.isFinite(agreement(best)) ? agreement(best).toFixed(3) : "unknown";
  return {
    layer: best.layer,
    layerReason: `split-half cosine ${found}, the highest of ${diagnostics.length} layers; ${doubt}`,
  };
}

function agreement({ splitHalf }: LayerDiagnostics): number {
  return splitHalf.kind === "measured" ? splitHalf.mean : -Infinity;
}
