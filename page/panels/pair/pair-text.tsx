/** @file The text of a pair: prompt, and both responses side by side, with what differs or what each token adds to the score. */
import { type Change, diffWordsWithSpace } from "diff";
import { type ReactNode, useMemo } from "react";

import type { PairDetail, ReportSource } from "../../../src/report/report-source.ts";
import { change, useAddress } from "../../address.ts";
import { Await } from "../../components.tsx";
import { useLoaded } from "../../use-loaded.ts";
import { TokenText } from "./token-text.tsx";

const VIEWS = ["differences", "tokens", "plain"] as const;

/** The work that a word diff may take; two long texts with nothing in common would hold the page up. */
const DIFF_MS = 200;

export function PairText({
  detail,
  ask,
}: {
  readonly detail: PairDetail;
  /** The tokens where they did not come with the pair, or why there are none. */
  readonly ask: ReportSource["tokens"];
}): ReactNode {
  const { prompt, chosen, rejected, tokens, cut, beside = [] } = detail;
  const said = useAddress().params["view"];
  const view = VIEWS.find((each) => each === said) ?? VIEWS[0];
  return (
    <>
      <div className="tools" role="group" aria-label="How to show the responses">
        {VIEWS.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={view === each}
            onClick={() => change({ view: each === VIEWS[0] ? undefined : each })}
          >
            {each}
          </button>
        ))}
      </div>
      {cut > 0 && <p role="note">{cut} characters are cut from the ends of long turns.</p>}
      {beside.length > 0 && (
        <p role="note">The pair says more, which is not shown here: {beside.join(", ")}.</p>
      )}
      <h3>Prompt</h3>
      <Turns turns={prompt} />
      {view === "tokens" && tokens !== undefined ? (
        <TokenText tokens={tokens} />
      ) : view === "tokens" ? (
        <AskedTokens id={detail.id} ask={ask} />
      ) : (
        <Sides chosen={chosen} rejected={rejected} isDiff={view === "differences"} />
      )}
    </>
  );
}

/** Tokens that are computed now: the checkpoint runs for them. */
function AskedTokens({
  id,
  ask,
}: {
  readonly id: string;
  readonly ask: ReportSource["tokens"];
}): ReactNode {
  const answer = useLoaded(id, () => ask(id), "rankings");
  return (
    <Await of={answer}>
      {({ tokens, absent }) =>
        tokens === undefined ? (
          <p role="note">Tokens are not shaded: {absent}.</p>
        ) : (
          <TokenText tokens={tokens} />
        )
      }
    </Await>
  );
}

type Turn = PairDetail["prompt"][number];

function Turns({ turns }: { readonly turns: readonly Turn[] }): ReactNode {
  return turns.map(({ role, content }, i) => (
    <div key={i}>
      <p className="role">{role}</p>
      <p className="turn">{content}</p>
    </div>
  ));
}

function Sides({
  chosen,
  rejected,
  isDiff,
}: {
  readonly chosen: readonly Turn[];
  readonly rejected: readonly Turn[];
  readonly isDiff: boolean;
}): ReactNode {
  const changes = useMemo(
    () =>
      chosen.map((turn, i) =>
        diffWordsWithSpace(rejected[i]?.content ?? "", turn.content, { timeout: DIFF_MS }),
      ),
    [chosen, rejected],
  );
  const isUnlike = isDiff && changes.includes(undefined);
  return (
    <>
      {isUnlike && (
        <p role="note">The two have too little in common for a word diff; both are shown plain.</p>
      )}
      <div className="sides">
        {(["chosen", "rejected"] as const).map((side) => (
          <div className="side" key={side}>
            <h3>{side}</h3>
            {{ chosen, rejected }[side].map(({ role, content }, i) => (
              <div key={i}>
                <p className="role">{role}</p>
                <p className="turn">
                  {isDiff && changes[i] !== undefined ? (
                    <Changed changes={changes[i]} side={side} />
                  ) : (
                    content
                  )}
                </p>
              </div>
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

/** One side of a diff: what it shares with the other, and what it alone has. */
function Changed({
  changes,
  side,
}: {
  readonly changes: readonly Change[];
  readonly side: "chosen" | "rejected";
}): ReactNode {
  return changes.map(({ value, added, removed }, i) => {
    if (side === "chosen") return removed ? undefined : added ? <ins key={i}>{value}</ins> : value;
    return added ? undefined : removed ? <del key={i}>{value}</del> : value;
  });
}
