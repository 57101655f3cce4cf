import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { change } from "../address.ts";
import { Nothing, Section } from "../components.tsx";
import { count } from "../format.ts";
import { Term } from "../glossary.tsx";
import { BehaviorTable } from "./forecast/behavior-table.tsx";
import { CellChart } from "./forecast/cell-chart.tsx";
import { PredictedChart } from "./forecast/predicted-chart.tsx";
import { Predictors } from "./forecast/predictors.tsx";
import { Scores } from "./forecast/scores.tsx";
import { definePanel } from "./panel.ts";

type Found = PartValues["forecast"];

export const forecastPanel = definePanel({
  id: "forecast",
  title: "Forecast",
  parts: ["forecast"],
  isListed: (overview) => overview?.hasForecast === true,
  View: ({ parts: { forecast }, params }) => (
    <>
      <h1>What training was forecast to move, and what it moved</h1>
      {forecast === undefined ? (
        <Nothing>No forecast was given: culprit report --forecast FILE shows one.</Nothing>
      ) : (
        <Forecasts found={forecast} params={params} />
      )}
    </>
  ),
});

const HELD_OUT = {
  given: "It is of an earlier forecast, and has not seen these shifts.",
  "leave-one-out": "Each is calibrated by the others, without its own shift.",
  "leave-family-out": "Each is calibrated by behaviours of other families alone.",
  split: "A random half of them calibrated the other half.",
} as const;

function Forecasts({
  found,
  params,
}: {
  readonly found: Found;
  readonly params: Readonly<Record<string, string>>;
}): ReactNode {
  const { behaviors, pairs, checkpoint, stores, score, cells, topicColumn } = found;
  return (
    <>
      <p>
        {count(behaviors.length)} behaviours, forecast from {count(pairs.count)} pairs and the
        checkpoint {checkpoint.name}, before any training, by{" "}
        {stores.map(({ features, layer }) => `${features} at layer ${layer}`).join(", ")}.
        {pairs.clusteredBy === "pair" &&
          " Intervals take every pair as independent: the prompts were not at hand."}
      </p>
      {score === undefined ? (
        <Nothing>
          It is not known what training did to them: culprit shifts measures it, and culprit
          forecast --score holds the forecast to it.
        </Nothing>
      ) : (
        <Scored score={score} behaviors={behaviors} params={params} />
      )}
      <Section title="What the pairs say of each">
        <Predictors found={found} />
      </Section>
      {topicColumn !== undefined && cells.length > 0 && (
        <Section title={`By ${topicColumn}`}>
          <CellChart found={found} />
        </Section>
      )}
    </>
  );
}

function Scored({
  score,
  behaviors,
  params,
}: {
  readonly score: NonNullable<Found["score"]>;
  readonly behaviors: Found["behaviors"];
  readonly params: Readonly<Record<string, string>>;
}): ReactNode {
  const { forecasts, holdout, heldOut, trained, samePairs, unobserved, unforecast } = score;
  const chosen = forecasts.find(({ name }) => name === params["by"]) ?? forecasts[0];
  if (chosen === undefined) return <Nothing>No forecast could be scored.</Nothing>;
  const { signs, movedSigns, covered, name: by } = chosen;
  return (
    <>
      <p>
        How far {trained.name} moved {count(heldOut)} behaviours (their <Term of="shift" />) beside
        what was forecast, by a <Term of="calibration" />. {HELD_OUT[holdout]}
      </p>
      {samePairs === "unknown" && (
        <p className="fault">
          Nothing says which pairs {trained.name} was trained on: they may be others.
        </p>
      )}
      <Section title="Predicted against observed">
        <div className="tools" role="group" aria-label="Which forecast">
          {forecasts.map(({ name }) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === by}
              onClick={() => change({ by: name })}
            >
              {name}
            </button>
          ))}
        </div>
        <p role="status">
          By {by}: {signs.count} hits, {signs.of - signs.count} misses. Of the {movedSigns.of} that
          training is known to have moved, {movedSigns.of - movedSigns.count} were missed.{" "}
          {covered.count} of {covered.of} observed shifts lie within the 95% interval of their
          forecast.
        </p>
        <PredictedChart score={score} by={by} />
        <BehaviorTable score={score} by={by} behaviors={behaviors} />
        {unobserved.length > 0 && <p>Nobody measured the shift of {unobserved.join(", ")}.</p>}
        {unforecast.length > 0 && <p>Nobody forecast {unforecast.join(", ")}.</p>}
      </Section>
      <Section
        title={
          <>
            How good each <Term of="predictor" /> is
          </>
        }
      >
        <Scores score={score} />
      </Section>
    </>
  );
}
