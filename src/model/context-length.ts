import type { ModelConfig } from "./model-config.ts";

/**
 * Tokens that the model can work on at once: `max_position_embeddings`, stretched by those rope scalings whose factor the key does
 * not include (linear, dynamic; YaRN by its original length). Other programs that serve models take the same.
 */
export function contextLength({ maxPositions, attention }: ModelConfig): number {
  const stretched = attention.map(({ rope }) => {
    switch (rope?.kind) {
      case "linear":
      case "dynamic":
        return Math.floor(maxPositions * rope.factor);
      case "yarn":
        return Math.floor(rope.originalMaxPositions * rope.factor);
      case "default":
      case "llama3":
      case "longrope":
      case undefined:
        return maxPositions;
    }
  });
  return Math.max(maxPositions, ...stretched);
}
