import { ConfigError } from "../util/errors.ts";
import type { Sources } from "./method.ts";

/**
 * Throws ConfigError where the two checkpoints cut texts into other tokens: then their log-probabilities are of different things. `input`
 * is what the user calls the one after training.
 */
export function expectSameTokenizer(
  { checkpoint, trained }: Pick<Sources, "checkpoint" | "trained">,
  input = "trained",
): void {
  const [before, after] = [checkpoint, trained].map(({ engine }) => engine.identity);
  if (before!.tokenizerHash === after!.tokenizerHash) return;
  throw new ConfigError(
    `${input}: expected the tokenizer of ${before!.name}, got another one (${after!.name})`,
    { hint: "Name the checkpoint that training made of the one before." },
  );
}
