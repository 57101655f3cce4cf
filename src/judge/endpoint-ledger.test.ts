import { describe, expect, it } from "vitest";

import { noTotals, type StoreTotals } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import type { EndpointCost } from "../engine/cost.ts";
import { endpointLedger } from "./endpoint-ledger.ts";

const none = noTotals();

type Attempt = ReturnType<typeof attempt>;

/** An attempt over a store: what it asks is answered, fails or is under way. */
function attempt(own: StoreTotals): {
  ask(what: { answered?: number; failed?: number; underWay?: number }): void;
  read(before?: EndpointCost): EndpointCost;
} {
  const counts = { requests: 0, answers: 0, faults: new Map<string, number>(), beyondBudget: 0 };
  // Nothing else is looked at.
  const read = endpointLedger({ counts } as unknown as Asker, { own } as never, true);
  return {
    ask({ answered = 0, failed = 0, underWay = 0 }) {
      counts.requests += answered + failed + underWay;
      counts.faults.set("timed out", (counts.faults.get("timed out") ?? 0) + failed);
      own.answers += answered;
    },
    read: (before) => read(before),
  };
}

describe("the ledger of a stage that asks", () => {
  it("has the requests of all attempts, also those answered after a killed one's last sign of life", () => {
    const own = { ...none };
    const killed = attempt(own);
    killed.ask({ answered: 100, failed: 7, underWay: 16 });
    const lastSign = killed.read();
    expect(lastSign).toMatchObject({ requests: 123, answers: 100, failed: 7 });
    own.answers += 10; // of those under way; then the kill
    expect(attempt(own).read(lastSign).requests).toBe(123);
    own.answers += 190; // it was a later kill
    const next = attempt(own);
    expect(next.read(lastSign).requests).toBe(307);
    next.ask({ answered: 7, failed: 3 });
    expect(next.read(lastSign)).toMatchObject({ requests: 317, answers: 307, failed: 10 });
  });

  it("does not change by an attempt that asks nothing, whatever the one before came to", () => {
    const own = { ...none };
    const first = attempt(own);
    first.ask({ answered: 40, failed: 8, underWay: 2 });
    const total = first.read();
    const again: Attempt = attempt(own);
    expect(again.read(total)).toEqual(total);
    expect(attempt(own).read(again.read(total))).toEqual(total);
  });

  it("counts a broken answer as an answer, and no request twice", () => {
    const own = { ...none };
    const first = attempt(own);
    first.ask({ answered: 3, failed: 2 });
    own.broken += 2; // these two faults
    expect(first.read()).toMatchObject({ requests: 5, answers: 5, failed: 0 });
  });

  it("goes on from what an earlier version wrote", () => {
    const old = { requests: 50, promptTokens: 1, completionTokens: 1 };
    expect(attempt({ ...none, answers: 40 }).read(old).requests).toBe(50);
  });
});
