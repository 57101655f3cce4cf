import type { ReactNode } from "react";

import type { QueueQuery, ReviewSummary } from "../../../src/report/report-source.ts";
import { count } from "../../format.ts";

/** Sizes of the top to choose from. */
const SIZES = [20, 50, 100, 200, 500, 1000, 5000];

/** Goes to another queue, or in steps from place to place of one, which leave nothing in the history. */
export type Change = (
  changes: Readonly<Record<string, string | number | undefined>>,
  isStep?: boolean,
) => void;

/** Which pairs, in which order. */
export function QueueChoice({
  summary,
  query,
  change,
}: {
  readonly summary: ReviewSummary;
  readonly query: QueueQuery;
  readonly change: Change;
}): ReactNode {
  const scored = summary.queues.find(({ name }) => name === "top")?.pairs ?? 0;
  const sizes = [...new Set([...SIZES.filter((k) => k < scored), query.k])].toSorted(
    (a, b) => a - b,
  );
  return (
    <div className="filters" role="group" aria-label="Which pairs, in which order">
      <label>
        Pairs
        <select
          value={query.name}
          onChange={({ target }) => change({ queue: target.value, at: undefined })}
        >
          {summary.queues.map(({ name, pairs }) => (
            <option key={name} value={name}>
              {name === "top" ? "ranked highest" : `taken by ${name} (${count(pairs)})`}
            </option>
          ))}
        </select>
      </label>
      {query.name === "top" && (
        <label>
          How many
          <select
            value={query.k}
            onChange={({ target }) => change({ k: target.value, at: undefined })}
          >
            {sizes.map((k) => (
              <option key={k}>{k}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        Order
        <select
          value={query.order}
          onChange={({ target }) => change({ order: target.value, at: undefined })}
        >
          <option value="rank">best first</option>
          <option value="random">random: a sample</option>
        </select>
      </label>
    </div>
  );
}
