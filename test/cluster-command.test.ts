/** culprit cluster check against Ray's API as it answers; on a real cluster it is tried by `npm run test:cluster`. */
import { expect, it } from "vitest";

import { checkCluster } from "../src/verbs/doctor/check-cluster.ts";
import { formatFindings } from "../src/verbs/doctor/finding.ts";
import { temporaryFolder } from "./support/data-files.ts";
import { startFakeRay } from "./support/fake-ray.ts";
import { runCommand } from "./support/run-command.ts";

const node = (changes: object): object => ({
  node: "n1",
  python: "3.11.7",
  versions: { torch: "2.13.0", transformers: "5.24.0" },
  missing: [],
  gpus: [],
  storage: "ok",
  ...changes,
});
const said = (nodes: readonly object[]): string =>
  `Ray says something\nCULPRIT-CHECK ${JSON.stringify({ nodes })}\n`;

it("prints ten lines, a warning where no token is asked for and a node is dead", async () => {
  const ray = await startFakeRay();
  ray.fate = { status: "SUCCEEDED", logs: said([node({})]) };
  const findings = await checkCluster(ray.url, { storage: await temporaryFolder() });
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
    "address ok",
    "token warning",
    "Ray ok",
    "nodes warning",
    "GPUs ok",
    "package ok",
    "job ok",
    "Python ok",
    "packages ok",
    "storage ok",
  ]);
  expect(formatFindings(findings)).toMatch(/run anything there[^]*RAY_AUTH_MODE=token/);
});

it("says of each node what is missing there", async () => {
  const ray = await startFakeRay();
  const missing = ["peft: ModuleNotFoundError: No module named 'peft'"];
  const nodes = [
    node({ missing, storage: "/mnt/x: No such file or directory" }),
    node({ node: "n2", python: "3.9.1" }),
    { node: "n3", error: "it hangs" },
  ];
  ray.fate = { status: "SUCCEEDED", logs: said(nodes) };
  const findings = await checkCluster(ray.url, { storage: await temporaryFolder() });
  const faults = findings.filter(({ status }) => status === "fault");
  expect(faults.map(({ check, found }) => `${check}: ${found}`)).toEqual([
    "tasks: n3: it hangs",
    "Python: 3.11.7, 3.9.1",
    `packages: n1: ${missing[0]}`,
    "storage: n1: /mnt/x: No such file or directory",
  ]);
});

it("shows the end of the log where the tiny job fails, and ends there where nobody answers", async () => {
  const ray = await startFakeRay();
  ray.fate = { status: "FAILED", logs: "culprit: the cluster's Python lacks a package: torch" };
  const failed = await checkCluster(ray.url, {});
  expect(failed.at(-1)).toMatchObject({ check: "job", status: "fault" });
  expect(failed.at(-1)!.found).toMatch(/lacks a package: torch/);
  await ray.close();
  const gone = await checkCluster(ray.url, {});
  expect(gone).toMatchObject([{ check: "address", status: "fault" }]);
});

it("knows check with an address and up, and flags of each", async () => {
  await expect(runCommand("cluster", ["down"])).rejects.toThrow(/expected check ADDRESS or up/);
  await expect(runCommand("cluster", ["check"])).rejects.toThrow(/expected check ADDRESS or up/);
  const mixed = runCommand("cluster", ["check", "h:1", "--dir", "x"]);
  await expect(mixed).rejects.toThrow(/--dir: expected up with it/);
  await expect(runCommand("cluster", ["up", "--port", "70000"])).rejects.toThrow(/--port/);
});
