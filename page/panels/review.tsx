/** @file The review queue, from a server: pairs one by one, decided by single keys, and what the decisions say. */
import { type ReactNode, useRef, useState } from "react";

import type {
  Decided,
  Decision,
  QueueQuery,
  ReviewSource,
  ReviewSummary,
} from "../../src/report/report-source.ts";
import { addressHref, go } from "../address.ts";
import { Await, Nothing } from "../components.tsx";
import { useLoaded } from "../use-loaded.ts";
import { definePanel, type PanelView } from "./panel.ts";
import { Place } from "./review/place.tsx";
import { type Change, QueueChoice } from "./review/queue-choice.tsx";
import { Results } from "./review/results.tsx";

export const reviewPanel = definePanel({
  id: "review",
  title: "Review",
  parts: ["overview"],
  isListed: (_, source) => source.review !== undefined,
  View: (view) => {
    const { review } = view.source;
    const summary = useLoaded("review", async () => review?.summary());
    return (
      <>
        <h1>Review: pair by pair</h1>
        <Await of={summary}>
          {(found) =>
            review === undefined ? (
              <Nothing>Decisions can be written from a server: culprit report RUN --serve.</Nothing>
            ) : found === undefined ? (
              <Nothing>Nothing was ranked yet.</Nothing>
            ) : (
              <Review {...view} review={review} first={found} />
            )
          }
        </Await>
      </>
    );
  },
});

type Reviewing = PanelView<"overview"> & {
  readonly review: ReviewSource;
  readonly first: ReviewSummary;
};

function queueOf(params: Readonly<Record<string, string>>, { queues }: ReviewSummary): QueueQuery {
  const whole = (text: string | undefined, otherwise: number): number =>
    /^\d{1,6}$/.test(text ?? "") ? Number(text) : otherwise;
  return {
    name: queues.find(({ name }) => name === params["queue"])?.name ?? queues[0]!.name, // top at least
    k: Math.max(1, whole(params["k"], 100)),
    order: params["order"] === "random" ? "random" : "rank",
    at: whole(params["at"], 0),
  };
}

function Review({ parts, source, review, first, params }: Reviewing): ReactNode {
  const [summary, setSummary] = useState(first);
  const [made, setMade] = useState<readonly Made[]>([]);
  const [writes, setWrites] = useState(0);
  const query = queueOf(params, summary);
  const key = JSON.stringify([query, writes]);
  const place = useLoaded(key, () => review.queue(query));
  // The number of a pair stays with it: the address is at the next one before that has come.
  const shown = useLast(
    place.kind === "ready" && place.value !== undefined
      ? { place: place.value, at: query.at }
      : undefined,
  );
  const queue = useRef(Promise.resolve());
  /** The place that was decided, until the next one is there. */
  const left = useRef<string>(undefined);
  const change: Change = (changes, isStep = false) => {
    const next = Object.entries({ ...params, ...changes }).map(
      ([name, value]) => [name, value === undefined ? undefined : String(value)] as const,
    );
    go(addressHref(["review"], Object.fromEntries(next)), isStep);
  };
  /** One after the other, in the order of the keys. */
  const write = (decision: Decision, then: (decided: Decided) => void): Promise<void> => {
    const before = queue.current;
    const work = async (): Promise<void> => {
      await before;
      try {
        then(await review.decide(decision));
        setWrites((known) => known + 1);
      } finally {
        left.current = undefined;
      }
      setSummary((await review.summary()) ?? summary);
    };
    const done = work();
    queue.current = done.catch(() => {});
    return done;
  };
  const decide = (decision: Decision, isLast: boolean): Promise<void> => {
    if (isLast) left.current = key;
    return write(decision, (decided) => {
      setMade((known) => [...known, { ...decided, at: query.at }]);
      if (isLast) change({ at: query.at + 1 }, true);
    });
  };
  const takeBack = (decision: Decision): Promise<void> => write(decision, () => {});
  const undo = async (): Promise<void> => {
    const last = made.at(-1);
    if (last === undefined) return;
    setMade((known) => known.slice(0, -1));
    // Back to the pair, so that it is seen what was taken back.
    await write(last.before, () => change({ at: last.at }, true));
  };
  return (
    <>
      {summary.torn > 0 && (
        <p role="note">
          {summary.file} ended in the middle of a line ({summary.torn} bytes), as after a crash.
          What stood there does not count; every whole line does.
        </p>
      )}
      <QueueChoice summary={summary} query={query} change={change} />
      {place.kind === "failed" ? (
        <Await of={place}>{() => undefined}</Await>
      ) : shown === undefined ? (
        <p className="quiet">Loading …</p>
      ) : (
        <Place
          source={source}
          query={query}
          place={shown.place}
          at={shown.at}
          isBusy={() => left.current === key || place.kind !== "ready"}
          canUndo={made.length > 0}
          change={change}
          decide={decide}
          takeBack={takeBack}
          undo={undo}
        />
      )}
      <Results summary={summary} words={parts.overview?.words} />
    </>
  );
}

/** A decision of this session, and where in the queue it was made. */
type Made = Decided & { readonly at: number };

/** What was there last, while the next is on its way: keys that follow fast find something to act on. */
function useLast<T>(value: T | undefined): T | undefined {
  const last = useRef(value);
  if (value !== undefined) last.current = value;
  return last.current;
}
