import type { LayerDiagnostics } from "./diagnostics.ts";

/** The layer that `--layers auto` takes, or why there is none. */
export type LayerChoice =
  | { readonly kind: "chosen"; readonly layer: number; readonly reason: string }
  | { readonly kind: "none"; readonly reason: string };

/**
 * Chooses a layer by one rule. Candidates are the stable layers above 0 (layer 0 holds the words, before any block has read
 * them). Those whose held-out AUROC reaches the lower end of the best candidate's interval are taken for as good as it; of
 * these the one with the largest split-half cosine is chosen, and of equals the lowest.
 */
export function chooseLayer(layers: readonly LayerDiagnostics[]): LayerChoice {
  const candidates = layers.flatMap((each) => {
    const { layer, isStable, heldOut, splitHalf } = each;
    if (layer === 0 || !isStable) return [];
    if (heldOut.kind === "not-computed" || splitHalf.kind === "not-computed") return [];
    return [{ layer, auroc: heldOut.auroc, low: heldOut.low, splitHalf: splitHalf.mean }];
  });
  if (candidates.length === 0) return { kind: "none", reason: explainNone(layers) };
  const best = candidates.reduce((a, b) => (b.auroc > a.auroc ? b : a));
  const asGood = candidates.filter(({ auroc }) => auroc >= best.low);
  const chosen = asGood.reduce((a, b) => (b.splitHalf > a.splitHalf ? b : a));
  const peers =
    asGood.length === 1
      ? "no other layer reaches"
      : `largest of the ${asGood.length} stable layers that reach`;
  return {
    kind: "chosen",
    layer: chosen.layer,
    reason: `split-half ${chosen.splitHalf.toFixed(3)}, ${peers} a held-out AUROC of ${best.low.toFixed(3)}, the lower end at layer ${best.layer}`,
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
