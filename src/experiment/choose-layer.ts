import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { BehaviorReport } from "../behavior/behavior-file.ts";
import type { LayerDiagnostics } from "../behavior/diagnostics.ts";

/** The layer whose ranking an experiment uses. */
export interface ChosenLayer {
  readonly layer: number;
  /** One sentence. */
  readonly layerReason: string;
}

/**
 * The layer named by the user, or with "auto": of the stable ones, else of all, the one whose vector agrees best between halves of
 * the prompts (the mean split-half cosine). Reads behavior.json in the behaviour stage's folder.
 */
export async function chooseLayer(
  behaviorFolder: string,
  asked: number | "auto",
): Promise<ChosenLayer> {
  const text = await readFile(join(behaviorFolder, "behavior.json"), "utf8");
  const { diagnostics } = JSON.parse(text) as BehaviorReport; // our own file, hashed when written
  if (asked === "auto") return bestLayer(diagnostics);
  return { layer: asked, layerReason: "named in the experiment file" };
}

function bestLayer(diagnostics: readonly LayerDiagnostics[]): ChosenLayer {
  const stable = diagnostics.filter(({ isStable }) => isStable);
  const candidates = stable.length > 0 ? stable : diagnostics;
  const [best] = candidates.toSorted((a, b) => agreement(b) - agreement(a));
  if (best === undefined) throw new Error("internal: a behaviour without layers");
  const found = Number.isFinite(agreement(best)) ? agreement(best).toFixed(3) : "unknown";
  return {
    layer: best.layer,
    layerReason: `split-half cosine ${found}, the highest of ${candidates.length} ${stable.length > 0 ? "stable layers" : "layers, none of them stable"}`,
  };
}

function agreement({ splitHalf }: LayerDiagnostics): number {
  return splitHalf.kind === "measured" ? splitHalf.mean : -Infinity;
}
