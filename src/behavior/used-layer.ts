import { ConfigError } from "../util/errors.ts";
import { BEHAVIOR_REPORT, behaviorReportPath } from "./behavior-file.ts";
import type { LayerDiagnostics } from "./diagnostics.ts";

/** The layer whose ranking is used. */
export interface UsedLayer {
  readonly layer: number;
  /** Why, one sentence; undefined where it was named. */
  readonly layerReason?: string | undefined;
}

/**
 * The layer named by the user, or with "auto" the one that was chosen for the behaviour (layer-choice.ts); where none was, the one whose
 * vector agrees best between halves of the prompts, so that work goes on. Reads the report beside the behaviour file; throws ConfigError
 * where it is needed and not there.
 */
export async function readUsedLayer(path: string, asked: number | "auto"): Promise<UsedLayer> {
  if (asked !== "auto") return { layer: asked };
  const report = await BEHAVIOR_REPORT.find(behaviorReportPath(path));
  if (report === undefined) {
    throw new ConfigError(`${path}: expected its report beside it to choose a layer by, got none`);
  }
  const { diagnostics, layerChoice } = report;
  return layerChoice.kind === "chosen"
    ? { layer: layerChoice.layer, layerReason: layerChoice.reason }
    : mostConsistent(diagnostics, layerChoice.reason);
}

function mostConsistent(diagnostics: readonly LayerDiagnostics[], doubt: string): UsedLayer {
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
