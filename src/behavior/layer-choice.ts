import type { LayerDiagnostics } from "./diagnostics.ts";

/** The layer that `--layers auto` takes, or why there is none. */
export type LayerChoice =
  | { readonly kind: "chosen"; readonly layer: number; readonly reason: string }
  | { readonly kind: "none"; readonly reason: string };

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
  const stable = layers.flatMap((each) => {
    const { layer, isStable, heldOut, splitHalf } = each;
    if (layer === 0 || !isStable) return [];
    if (heldOut.kind === "not-computed" || splitHalf.kind === "not-computed") return [];
    return [{ layer, auroc: heldOut.auroc, low: heldOut.low, splitHalf: splitHalf.mean }];
  });
  if (stable.length === 0) return { kind: "none", reason: explainNone(layers) };
  const causal = stable.filter(({ layer }) => causes.get(layer) === true);
  const candidates = causal.length > 0 ? causal : stable;
  const best = candidates.reduce((a, b) => (b.auroc > a.auroc ? b : a));
  const asGood = candidates.filter(({ auroc }) => auroc >= best.low);
  const chosen = asGood.reduce((a, b) => (b.splitHalf > a.splitHalf ? b : a));
  const kind = causal.length > 0 ? "stable and causal" : "stable";
  const peers =
    asGood.length === 1
      ? "no other layer reaches"
      : `largest of the ${asGood.length} ${kind} layers that reach`;
  const doubt =
    causes.size > 0 && causal.length === 0
      ? "; steering shows of no stable layer that its direction causes the behaviour"
      : "";
  return {
    kind: "chosen",
    layer: chosen.layer,
    reason: `split-half ${chosen.splitHalf.toFixed(3)}, ${peers} a held-out AUROC of ${best.low.toFixed(3)}, the lower end at layer ${best.layer}${doubt}`,
  };
}

function explainNone(layers: readonly LayerDiagnostics[]): string {
  const above = layers.filter(({ layer }) => layer > 0);
  if (above.length === 0) return "only layer 0 was given, which is never chosen by itself";
  const first = above.find(({ doubt }) => doubt !== undefined);
  return first?.doubt === undefined
    ? "no layer has a held-out AUROC"
    : `no layer is stable; layer ${first.layer}: ${first.doubt}`;
}
