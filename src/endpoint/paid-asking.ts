import type { AnswerStore } from "./answer-store.ts";
import type { Asker } from "./asker.ts";
import type { Prices } from "./money.ts";

/** An endpoint that is asked, the answers that are kept, and what they may cost. */
export interface PaidAsking {
  readonly asker: Asker;
  /** Every answer goes in before it counts; answers that are in it are not asked for. */
  readonly store: AnswerStore;
  readonly prices?: Prices | undefined;
  /** Everything that the store ever paid counts against it. Needs prices. */
  readonly maxCost?: number | undefined;
  /** Ask anew, once, about what has no readable answer although it was asked often enough. Default false. */
  readonly isAnew?: boolean | undefined;
}
