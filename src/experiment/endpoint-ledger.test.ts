import { describe, expect, it } from "vitest";

import type { StoreTotals } from "../endpoint/answer-store.ts";
import type { Asker } from "../endpoint/asker.ts";
import type { EndpointCost } from "./cost.ts";
import { addEarlierRequests, endpointLedger } from "./endpoint-ledger.ts";

const none: StoreTotals = {
  answers: 0,
  broken: 0,
  estimated: 0,
  promptTokens: 0,
  completionTokens: 0,
  cost: 0,
};

/** An attempt over a store: it sends, and some of it is answered. */
function attempt(own: StoreTotals): {
  send(sent: number, answered: number): void;
  read(): EndpointCost;
} {
  const counts = { requests: 0, answers: 0, faults: new Map(), beyondBudget: 0 };
  // Nothing else is looked at.
  const ledger = endpointLedger({ counts } as unknown as Asker, { own } as never, true);
  return {
    send(sent, answered) {
      counts.requests += sent;
      own.answers += answered;
    },
    read: ledger,
  };
}

describe("the ledger of a stage that asks", () => {
  it("has the requests of all attempts, also those answered after a killed one's last sign of life", () => {
    const own = { ...none };
    const killed = attempt(own);
    killed.send(116, 100);
    const lastSign = killed.read();
    expect(lastSign).toMatchObject({ requests: 116, answers: 100 });
    killed.send(200, 200); // then the kill: 16 were under way
    const next = attempt(own);
    expect(addEarlierRequests(lastSign, next.read())!.requests).toBe(316);
    next.send(10, 7);
    expect(addEarlierRequests(lastSign, next.read())).toMatchObject({
      requests: 326,
      answers: 307,
    });
  });

  it("does not change by an attempt that asks nothing", () => {
    const own = { ...none };
    const first = attempt(own);
    first.send(50, 40);
    const total = first.read();
    const again = addEarlierRequests(total, attempt(own).read());
    expect(again).toEqual(total);
    expect(addEarlierRequests(again, attempt(own).read())).toEqual(total);
  });

  it("counts no request twice where an earlier version wrote no answers", () => {
    const old = { requests: 50, promptTokens: 1, completionTokens: 1 };
    const own = { ...none, answers: 40 };
    expect(addEarlierRequests(old, attempt(own).read())!.requests).toBe(40);
  });
});
