/** @file How far the run is, from a server: stages, rates, time left, costs so far. */
import { type ReactNode, useContext } from "react";

import type { RunProgress, StageProgress } from "../../src/report/report-source.ts";
import { Facts, Nothing, Section, Table } from "../components.tsx";
import { amount, count, duration, percent } from "../format.ts";
import { Term } from "../glossary.tsx";
import { ProgressContext } from "../progress.ts";
import { definePanel } from "./panel.ts";

export const progressPanel = definePanel({
  id: "progress",
  title: "Progress",
  parts: [],
  isListed: (_, source) => source.progress !== undefined,
  View: () => {
    const progress = useContext(ProgressContext);
    return (
      <>
        <h1>How far the run is</h1>
        {progress === undefined ? (
          <Nothing>A server knows it: culprit report RUN --serve.</Nothing>
        ) : progress.state === "waiting" ? (
          <p role="status">The run has not begun; its inputs are read.</p>
        ) : (
          <Progress progress={progress} />
        )}
      </>
    );
  },
});

const STATES: Readonly<Record<RunProgress["state"], string>> = {
  waiting: "has not begun",
  running: "is at work",
  stopped: "is not at work: the same command goes on with it",
  done: "has ended",
};

function Progress({ progress }: { readonly progress: RunProgress }): ReactNode {
  const { state, stages, total, currency, secondsLeft } = progress;
  const leftOf = ({ state: at }: StageProgress): string =>
    at === "running" && secondsLeft !== undefined ? `about ${duration(secondsLeft)} left` : "";
  const done = stages.filter((stage) => stage.state === "done").length;
  const atWork = stages.filter((stage) => stage.state === "running");
  const failed = stages.filter((stage) => stage.failure !== undefined);
  // What no stage has would be an empty column.
  const columns = COLUMNS.filter(([, show]) => stages.some((stage) => show(stage, state) !== ""));
  return (
    <>
      <p role="status">
        The run {STATES[state]}. {count(done)} of {count(stages.length)} stages are done
        {atWork.map(({ id }) => `, ${id} is running`).join("")}.
      </p>
      <progress aria-label="Stages done" value={done} max={Math.max(1, stages.length)} />
      {atWork.map((stage) => (
        <Section key={stage.id} title={`At work: ${stage.id}`}>
          <p>
            {[howFar(stage), rateOf(stage), leftOf(stage)].filter(Boolean).join(", ") ||
              "It does not count its work."}
          </p>
          {stage.done !== undefined && stage.total !== undefined && (
            <progress
              aria-label={`Done of ${stage.id}`}
              value={stage.done}
              max={Math.max(1, stage.total)}
            />
          )}
        </Section>
      ))}
      {failed.map(({ id, failure }) => (
        <p key={id} role="alert" className="fault">
          {id} failed: {failure}
        </p>
      ))}
      <Facts
        of={[
          ["Time so far", duration(total.seconds)],
          ["Tokens so far", amount(total.tokens)],
          ...(total.money === undefined
            ? []
            : [["Money so far", `${total.money.toFixed(4)} ${currency}`] as const]),
        ]}
      />
      <Section title={<Term of="stage">Stages</Term>}>
        <Table
          caption="In the order in which they run"
          head={["Stage", ...columns.map(([title]) => title)]}
          rows={stages.map((stage) => [stage.id, ...columns.map(([, show]) => show(stage, state))])}
        />
      </Section>
    </>
  );
}

type Show = (stage: StageProgress, run: RunProgress["state"]) => ReactNode;

const COLUMNS: readonly (readonly [title: string, show: Show])[] = [
  [
    "State",
    ({ state, isCached }, run) => (
      <span className={`mark ${state}`}>
        {isCached
          ? "there already"
          : state !== "missing"
            ? state
            : run === "running"
              ? "to come"
              : "not begun"}
      </span>
    ),
  ],
  ["How far", howFar],
  ["Rate", rateOf],
  ["Time", ({ cost }) => (cost === undefined ? "" : duration(cost.seconds))],
  ["Tokens", ({ cost }) => (cost === undefined ? "" : amount(cost.tokens))],
  ["Money", ({ cost }) => (cost?.money === undefined ? "" : cost.money.toFixed(4))],
];

function howFar({ done, total, unit = "" }: StageProgress): string {
  if (done === undefined) return "";
  if (total === undefined || total === 0) return `${amount(done)} ${unit}`;
  return `${amount(done)} of ${amount(total)} ${unit}, ${percent(done / total, 0)}`;
}

function rateOf({ rate, unit = "" }: StageProgress): string {
  return rate === undefined ? "" : `${rate.toFixed(rate < 10 ? 1 : 0)} ${unit}/s`;
}
