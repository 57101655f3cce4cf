import { wilsonShare } from "../stats/wilson.ts";
import type { TurnReport } from "./audit-report.ts";
import type { PreferencePair } from "./preference-pair.ts";

/** Counts turns. */
export function createTurnCounter(): { add(pair: PreferencePair): void; report(): TurnReport } {
  const counts = new Map<number, number>();
  let pairs = 0;
  let withSystem = 0;
  let longResponses = 0;
  return {
    add({ prompt, chosen, rejected }) {
      pairs++;
      const turns = prompt.filter(({ role }) => role !== "system").length;
      counts.set(turns, (counts.get(turns) ?? 0) + 1);
      if (turns < prompt.length) withSystem++;
      if (chosen.length > 1 || rejected.length > 1) longResponses++;
    },
    report: () => ({
      promptTurns: [...counts]
        .map(([turns, count]) => ({ turns, pairs: count }))
        .toSorted((a, b) => a.turns - b.turns),
      withSystem: wilsonShare(withSystem, pairs),
      longResponses,
    }),
  };
}
