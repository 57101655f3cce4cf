import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { change } from "../address.ts";
import { IntervalChart } from "../charts/interval-chart.tsx";
import { Facts, Figure, Fold, Nothing, Section, Table } from "../components.tsx";
import { count, interval, percent, pValue, points } from "../format.ts";
import { Term } from "../glossary.tsx";
import { LayerTable } from "./behavior/layer-table.tsx";
import { ScenarioEvidence } from "./behavior/scenario-evidence.tsx";
import { SteeringSection } from "./behavior/steering-section.tsx";
import { definePanel } from "./panel.ts";

type Scenarios = PartValues["scenarios"];

export const behaviorPanel = definePanel({
  id: "behavior",
  title: "Behaviour",
  parts: ["overview", "scenarios", "behavior"],
  View: ({ parts: { overview, scenarios, behavior }, params }) => (
    <>
      <h1>
        The behaviour: <bdi>{behavior?.name ?? overview?.result?.behavior ?? "not made yet"}</bdi>
      </h1>
      {scenarios === undefined ? (
        <Section title="Scenarios">
          <Nothing>
            The run sampled nothing to find the behaviour: its response pairs were given, or the
            stages are not done.
          </Nothing>
        </Section>
      ) : (
        <>
          <Section title="How often both checkpoints show it">
            <ConditionRates scenarios={scenarios} />
          </Section>
          <Section title="What could not be judged">
            <Unknowns scenarios={scenarios} />
          </Section>
          <Section title={<Term of="scenario">Scenarios</Term>}>
            <ScenarioList scenarios={scenarios} params={params} />
          </Section>
        </>
      )}
      {behavior !== undefined && (
        <Section
          title={
            <>
              Which <Term of="layer ℓ">layer</Term> holds it
            </>
          }
        >
          <LayerTable behavior={behavior} used={overview?.result?.probe} />
        </Section>
      )}
      {overview?.result?.steering?.map((report) => (
        <Section key={report.mode} title={`Steering: ${report.mode}`}>
          <SteeringSection report={report} />
        </Section>
      ))}
    </>
  ),
});

function ConditionRates({ scenarios }: { readonly scenarios: Scenarios }): ReactNode {
  const { conditions, changes, amplify } = scenarios;
  return (
    <>
      {amplify !== undefined && (
        <p>
          The checkpoint after was sampled with <Term of="amplification" /> {amplify}: its rates are
          of that sampling, not of the checkpoint.
        </p>
      )}
      <IntervalChart
        title="Rate in the four conditions"
        rows={conditions.flatMap(({ checkpoint, variant, rate }) =>
          rate.rate === undefined
            ? []
            : [
                {
                  label: `${checkpoint} × ${variant}`,
                  value: rate.rate,
                  low: rate.low,
                  high: rate.high,
                  n: rate.judged,
                  kind: checkpoint === "after" ? ("chosen" as const) : ("plain" as const),
                },
              ],
        )}
        axis="rate"
        domain={[0, 1]}
        show={(value) => percent(value, 0)}
        counted="judged rollouts"
      >
        A <Term of="condition" /> is a checkpoint in a <Term of="variant" />. The behaviour should
        show in one of the four only: after training, with the <Term of="distractor" />.
      </IntervalChart>
      <Table
        caption="After minus before, in percentage points"
        head={["Variant", "Change [95%]", "p", "Prompts"]}
        rows={changes.map(({ variant, difference, low, high, p, prompts }) => [
          variant,
          <Figure key="f" tells={`95% ${interval(low, high, points)}, n ${prompts} prompts`}>
            {points(difference)} {interval(low, high, points)}
          </Figure>,
          <Figure
            key="p"
            tells={`of the change ${points(difference)} ${interval(low, high, points)}, n ${prompts} prompts`}
          >
            {pValue(p)}
          </Figure>,
          count(prompts),
        ])}
      />
    </>
  );
}

function Unknowns({ scenarios }: { readonly scenarios: Scenarios }): ReactNode {
  const rows = scenarios.conditions.filter(({ missing }) => missing > 0);
  const unknown = scenarios.scenarios.filter(({ decision }) => decision === "unknown");
  return (
    <>
      <p>
        {unknown.length} of {scenarios.scenarios.length} scenarios are unknown. A{" "}
        <Term of="verdict">missing verdict</Term> is in no rate and decides nothing.
      </p>
      {rows.length === 0 ? (
        <Nothing>Every rollout has a verdict.</Nothing>
      ) : (
        <Table
          caption="Missing verdicts by cause"
          head={["Condition", "Missing", "Causes"]}
          rows={rows.map(({ checkpoint, variant, missing, rollouts, causes }) => [
            `${checkpoint} × ${variant}`,
            `${missing} of ${rollouts}`,
            Object.entries(causes)
              .map(([cause, times]) => `${cause} (${times})`)
              .join("; "),
          ])}
        />
      )}
    </>
  );
}

/** Scenarios that are drawn at once; the rest comes on demand. */
const STEP = 40;

function ScenarioList({
  scenarios,
  params,
}: {
  readonly scenarios: Scenarios;
  readonly params: Readonly<Record<string, string>>;
}): ReactNode {
  const limit = Math.max(STEP, Number(params["shown"]) || 0);
  const { decision = "", scenario = "" } = params;
  const counts = (of: string): number =>
    scenarios.scenarios.filter((each) => each.decision === of).length;
  const shown = scenarios.scenarios.filter(
    (each) =>
      (decision === "" || each.decision === decision) &&
      (scenario === "" || each.scenario === scenario),
  );
  const choose = (chosen: string): void =>
    change({ decision: chosen, scenario: undefined, shown: undefined });
  return (
    <>
      <p>
        The <Term of="four-condition filter" /> kept those that show the behaviour in the one
        condition and never in the others; the behaviour's vector is made of them.
      </p>
      <div className="tools" role="group" aria-label="Which scenarios">
        {["", "kept", "unknown", "dropped"].map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={decision === each && scenario === ""}
            onClick={() => choose(each)}
          >
            {each === "" ? `all ${scenarios.scenarios.length}` : `${each} ${counts(each)}`}
          </button>
        ))}
      </div>
      {shown.slice(0, limit).map((each) => (
        <Fold
          key={each.scenario}
          name={each.scenario}
          isOpen={scenario !== ""}
          summary={
            <>
              <span className="mark">{each.decision}</span> <bdi>{promptOf(each)}</bdi>{" "}
              <span className="quiet">({each.reason})</span>
            </>
          }
        >
          <Facts of={[["Scenario", each.scenario]]} />
          <ScenarioEvidence scenario={each} />
        </Fold>
      ))}
      {shown.length === 0 && <Nothing>No scenario is like that.</Nothing>}
      {shown.length > limit && (
        <button type="button" onClick={() => change({ shown: String(limit + STEP) })}>
          Show {Math.min(STEP, shown.length - limit)} more of {shown.length}
        </button>
      )}
    </>
  );
}

const promptOf = ({ conditions, scenario }: Scenarios["scenarios"][number]): string => {
  const prompt = conditions.find(({ prompt: text }) => text !== "")?.prompt ?? scenario;
  return prompt.length > 90 ? `${prompt.slice(0, 90)}…` : prompt;
};
