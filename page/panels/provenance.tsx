import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { Facts, Fold, Nothing, Section, Table } from "../components.tsx";
import { amount, count, duration } from "../format.ts";
import { Term } from "../glossary.tsx";
import { definePanel } from "./panel.ts";

type Provenance = PartValues["provenance"];

export const provenancePanel = definePanel({
  id: "provenance",
  title: "Provenance",
  parts: ["provenance"],
  View: ({ parts: { provenance } }) =>
    provenance === undefined ? (
      <Nothing>There is no run.</Nothing>
    ) : (
      <>
        <h1>How this was made, and how to make it again</h1>
        <Section title="Made by">
          <MadeBy provenance={provenance} />
        </Section>
        <Section title="To make it again">
          <Again provenance={provenance} />
        </Section>
        <Section title="What went in">
          <Table
            caption="Hashes of the inputs' content"
            head={["Input", "Hash"]}
            rows={Object.entries(provenance.inputs).map(([name, hash]) => [
              name,
              <code key="c">{hash}</code>,
            ])}
          />
        </Section>
        <Section title={<Term of="stage">Stages</Term>}>
          <Stages provenance={provenance} />
        </Section>
        <Section title="All settings">
          <p>
            As the experiment file and the defaults gave them. Paths are as the file has them, or
            their last part.
          </p>
          <pre tabIndex={0} aria-label="Settings">
            {JSON.stringify(provenance.experiment, undefined, 2)}
          </pre>
        </Section>
      </>
    ),
});

function MadeBy({ provenance }: { readonly provenance: Provenance }): ReactNode {
  const { software, machine, startedAt, finishedAt, experimentFile, experimentSha256, total } =
    provenance;
  return (
    <Facts
      of={[
        ["Experiment file", experimentFile],
        ["Its hash", <code key="c">{experimentSha256}</code>],
        ...Object.entries(software),
        ["Processor", `${machine.cpu}, ${machine.cores} cores`],
        ["Begun", startedAt],
        ["Ended", finishedAt ?? "not yet"],
        ["Took", `${duration(total.seconds)}, ${amount(total.tokens)} tokens`],
        ["Seeds", seedsOf(provenance.experiment).join(", ") || "none"],
      ]}
    />
  );
}

function Again({ provenance }: { readonly provenance: Provenance }): ReactNode {
  const { commands, software } = provenance;
  return (
    <>
      <p>
        With the same version ({software["culprit"]}), the same files and the same settings, every
        stage gives the same files; run.json and stage.json hold the hashes to compare. Paths are
        seen from the folder in which this report was made; of those outside it the name alone is
        told.
      </p>
      <pre className="command" tabIndex={0} aria-label="Commands">
        {commands.join("\n")}
      </pre>
    </>
  );
}

function Stages({ provenance }: { readonly provenance: Provenance }): ReactNode {
  const { total, experiment } = provenance;
  const { currency } = experiment.cost;
  // A column where there is anything in it.
  const more = COSTS.filter(([, show]) => show(total) !== undefined);
  return (
    <>
      <Table
        caption="Every stage, its key and the hash of what it made"
        head={[
          "Stage",
          "Time",
          "Tokens",
          ...more.map(([name]) => (name === "Money" ? `Money, ${currency}` : name)),
          "Key",
          "Output",
        ]}
        rows={provenance.stages.map(({ id, cost, key, outputHash }) => [
          id,
          cost === undefined ? "not done" : duration(cost.seconds),
          cost === undefined ? "–" : amount(cost.tokens),
          ...more.map(([, show]) => (cost && show(cost)) ?? "–"),
          <code key="k">{key?.slice(0, 12) ?? "–"}</code>,
          <code key="o">{outputHash?.slice(0, 12) ?? "–"}</code>,
        ])}
      />
      {provenance.stages.map(({ id, settings }) =>
        settings === undefined ? undefined : (
          <Fold key={id} name={id} summary={`Settings of ${id}`}>
            <pre tabIndex={0} aria-label={`Settings of ${id}`}>
              {JSON.stringify(settings, undefined, 2)}
            </pre>
          </Fold>
        ),
      )}
    </>
  );
}

const COSTS: readonly (readonly [
  name: string,
  show: (cost: Provenance["total"]) => string | undefined,
])[] = [
  ["Multiplications and additions", ({ flops }) => amount(flops)],
  ["Requests to endpoints", ({ endpoint }) => endpoint && count(endpoint.requests)],
  ["Money", ({ money }) => money?.toFixed(4)],
];

/** Every seed of the settings, with the section that it stands in. */
function seedsOf(experiment: object): string[] {
  return Object.entries(experiment).flatMap(([section, settings]) =>
    typeof settings !== "object" || settings === null
      ? []
      : Object.entries(settings as object).flatMap(([name, value]: [string, unknown]) =>
          /^seeds?$/.test(name) ? [`${section} ${String(value)}`] : [],
        ),
  );
}
