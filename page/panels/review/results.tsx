import type { ReactNode } from "react";

import type { PartValues, ReviewSummary } from "../../../src/report/report-source.ts";
import { Figure, Nothing, Section, Table } from "../../components.tsx";
import { count, interval, percent } from "../../format.ts";
import { Term } from "../../glossary.tsx";
import { KEYS } from "./decision-keys.ts";

/** What the decisions say of the ranking, and of the automatic edits. */
export function Results({
  summary,
  words,
}: {
  readonly summary: ReviewSummary;
  /** Of the run, as commands take it. */
  readonly words: PartValues["overview"]["words"] | undefined;
}): ReactNode {
  const { counts, precision, agreements, file } = summary;
  return (
    <Section title="What the decisions say">
      <p>
        {KEYS.map(([, kind]) => `${kind} ${count(counts[kind])}`).join(", ")}. They are in{" "}
        <bdi>{file}</bdi>; this writes the data that they make into a new folder named reviewed:
      </p>
      {words !== undefined && (
        <pre className="command" tabIndex={0} aria-label="Command">
          {`npx culprit edit ${words.pairs} --decisions ${file === words.decisions.name ? words.decisions.path : file} --out reviewed`}
        </pre>
      )}
      {precision.length === 0 ? (
        <Nothing>
          The <Term of="precision at k" /> of the ranking is told when ten pairs of its top are
          reviewed, best first or in the random order of a larger top.
        </Nothing>
      ) : (
        <Table
          caption="How many of the top deserve it"
          head={[
            "Top",
            <Term key="p" of="precision at k">
              Precision
            </Term>,
            "Interval (95%)",
            "Reviewed",
          ]}
          rows={precision.map(
            ({ k, basis, reviewed, unsure, precision: { share, low, high, of } }) => [
              count(k),
              <Figure
                key="f"
                tells={`${percent(share)} ${interval(low, high, percent)}, n ${of} decided pairs, ${unsure} unsure ones left out`}
              >
                {percent(share)}
              </Figure>,
              interval(low, high, percent),
              `${count(reviewed)}${basis === "all" ? "" : ", a random sample"}`,
            ],
          )}
        />
      )}
      {agreements.length > 0 && Object.values(counts).some((each) => each > 0) && (
        <Table
          caption="Beside the automatic edits"
          head={[
            "Edit",
            "Agrees",
            "Interval (95%)",
            "It takes, people keep",
            "It leaves, people drop or swap",
          ]}
          rows={agreements.map(
            ({ edit, agreement: { share, low, high, count: agreed, of }, taken, left }) => [
              edit,
              <Figure
                key="f"
                tells={`95% ${interval(low, high, percent)}, ${count(agreed)} of n ${count(of)} decided pairs, unsure ones left out`}
              >
                {percent(share)}
              </Figure>,
              interval(low, high, percent),
              count(taken.keep),
              count(left.drop + left.swap),
            ],
          )}
        />
      )}
    </Section>
  );
}
