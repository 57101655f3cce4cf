import { z } from "zod";

import { countSchema, type Plain } from "../util/artifact.ts";
import type { LayerDiagnostics } from "./diagnostics.ts";

/** The layer that `--layers auto` takes, or why there is none. */
export const layerChoiceSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("chosen"), layer: countSchema, reason: z.string() }),
  z.strictObject({ kind: z.literal("none"), reason: z.string() }),
]);
export type LayerChoice = Plain<typeof layerChoiceSchema>;

/**
 * Chooses a layer by one rule. Candidates are the stable layers above 0 (layer 0 holds the words, before any block has read
 * them); where steering was measured and the direction of some candidate causes the behaviour, only those. Candidates whose held-out
 * AUROC reaches the lower end of the best one's interval are taken for as good as it; of these the one with the largest split-half cosine
 * is chosen, and of equals the lowest. `causes` says for each layer that was steered at whether the direction causes the behaviour.
 */
export function chooseLayer(
  layers: readonly LayerDiagnostics[],
  causes: ReadonlyMap<number, boolean> = new Map(),
): LayerChoice {
  const stable = layers.flatMap(toCandidate);
  if (stable.length === 0) return { kind: "none", reason: explainNone(layers) };
  const causal = stable.filter(({ layer }) => causes.get(layer) === true);
  const candidates = causal.length > 0 ? causal : stable;
  const best = candidates.reduce((a, b) => (b.auroc > a.auroc ? b : a));
  const asGood = candidates.filter(({ auroc }) => auroc >= best.low);
  const chosen = asGood.reduce((a, b) => (b.splitHalf > a.splitHalf ? b : a));
  const why = explainChosen({ stable, causal, asGood, best }, causes);
  const reason = `split-half ${chosen.splitHalf.toFixed(3)}, ${why}${explainUnstable(layers, best)}`;
  return { kind: "chosen", layer: chosen.layer, reason };
}

/** A stable layer above 0. */
interface Candidate {
  readonly layer: number;
  readonly auroc: number;
  /** Lower end of the AUROC's interval. */
  readonly low: number;
  readonly splitHalf: number;
}

function toCandidate(diagnostics: LayerDiagnostics): readonly Candidate[] {
  const { layer, isStable, heldOut, splitHalf } = diagnostics;
  if (layer === 0 || !isStable) return [];
  if (heldOut.kind === "not-computed" || splitHalf.kind === "not-computed") return [];
  return [{ layer, auroc: heldOut.auroc, low: heldOut.low, splitHalf: splitHalf.mean }];
}

interface Field {
  readonly stable: readonly Candidate[];
  /** Those of the stable whose direction causes the behaviour. */
  readonly causal: readonly Candidate[];
  /** The candidates as good as the best. */
  readonly asGood: readonly Candidate[];
  readonly best: Candidate;
}

/** What the chosen layer has before the others, each of them named by what put it in or out. */
function explainChosen(
  { stable, causal, asGood, best }: Field,
  causes: ReadonlyMap<number, boolean>,
): string {
  const steered = stable.filter(({ layer }) => causes.has(layer)).length;
  const left = stable.length - steered;
  const leftOut = left === 0 ? "" : `; stable layers not steered at are left out: ${left}`;
  if (causal.length === 1) {
    return `the only stable layer steered at (of ${steered}) whose direction causes the behaviour${leftOut}`;
  }
  const kind = causal.length > 0 ? "stable and causal" : "stable";
  const peers =
    asGood.length > 1
      ? `largest of the ${asGood.length} ${kind} layers that reach`
      : `no other ${kind} layer reaches`;
  const reach = `${peers} a held-out AUROC of ${best.low.toFixed(3)}, the lower end at layer ${best.layer}`;
  if (causes.size === 0) return reach;
  return causal.length === 0
    ? `${reach}; steering shows of no stable layer that its direction causes the behaviour (steered at: ${steered} of ${stable.length})`
    : `${reach}; causal are ${causal.length} of the ${steered} stable layers steered at${leftOut}`;
}

/** Layers that reach as much and are left out all the same: the reader sees them in the table. */
function explainUnstable(layers: readonly LayerDiagnostics[], best: Candidate): string {
  const reaching = layers.filter(
    ({ layer, isStable, heldOut }) =>
      layer > 0 && !isStable && heldOut.kind === "measured" && heldOut.auroc >= best.low,
  );
  if (reaching.length === 0) return "";
  const named = reaching.map(({ layer }) => layer).join(", ");
  return `; not stable, and left out, though ${reaching.length === 1 ? "it reaches" : "they reach"} it: ${reaching.length === 1 ? "layer" : "layers"} ${named}`;
}

function explainNone(layers: readonly LayerDiagnostics[]): string {
  const above = layers.filter(({ layer }) => layer > 0);
  if (above.length === 0) return "only layer 0 was given, which is never chosen by itself";
  const first = above.find(({ doubt }) => doubt !== undefined);
  return first?.doubt === undefined
    ? "no layer has a held-out AUROC"
    : `no layer is stable; layer ${first.layer}: ${first.doubt}`;
}
