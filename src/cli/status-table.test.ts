import { expect, it } from "vitest";

import { NO_COST } from "../engine/cost.ts";
import type { ExperimentStatus } from "../runs/experiment-status.ts";
import { formatStatus } from "./status-table.ts";

it("says of a running stage which share is done, the rate, the time left and how old that is", () => {
  const stage = { id: "embed", kind: "embed", name: "", state: "running" } as const;
  const status: ExperimentStatus = {
    out: "out",
    manifest: {
      format: "culprit-run",
      name: "one",
      experimentFile: "one.yaml",
      experimentSha256: "",
      experiment: { cost: { currency: "EUR" } },
      inputs: {},
      software: {},
      machine: { cpu: "unknown", cores: 1 },
      startedAt: "",
      stages: [],
      total: NO_COST,
    },
    stages: [
      {
        ...stage,
        unit: "pairs",
        done: 12,
        total: 40,
        rate: 4,
        updatedAt: new Date().toISOString(),
      },
      { ...stage, id: "behavior", kind: "behavior" },
    ],
    total: NO_COST,
  };
  const lines = formatStatus(status).split("\n");
  expect(lines.find((line) => line.startsWith("embed:"))).toMatch(
    /^embed: 12\/40 pairs \(30%\), 4\.00 pairs\/s, 7 s left, seen \d+ s ago$/,
  );
  // One that has not reported yet has its state alone.
  expect(lines.some((line) => line.startsWith("behavior:"))).toBe(false);
});
