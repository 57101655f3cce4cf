import { z } from "zod";

import { isHubUri } from "../hub/hub-uri.ts";
import { RuntimeError } from "../util/errors.ts";
import { checkCheckpoint } from "./doctor/check-checkpoint.ts";
import { checkEndpoint } from "./doctor/check-endpoint.ts";
import { checkHub } from "./doctor/check-hub.ts";
import { checkArithmetic, checkFolder, checkNode, readMemory } from "./doctor/check-machine.ts";
import { type Finding, formatFindings } from "./doctor/finding.ts";
import { path } from "./settings/common.ts";
import { endpointSettings } from "./settings/endpoint.ts";
import { defineVerb, type Input } from "./verb.ts";

/** What the checks found, in their order. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
}

/** Checkpoints by name: they are looked at, not opened. */
const namedCheckpoints = {
  kind: "checkpoint",
  placeholder: "DIR",
  describe:
    "A checkpoint to hold against memory and disk: a Hugging Face folder, or hf://owner/name@revision.",
  isMany: true,
  isOptional: true,
  open: (names) => Promise.resolve(names),
} as const satisfies Input<readonly string[]>;

export const doctor = defineVerb({
  name: "doctor",
  summary: "Whether this machine, the hub and an endpoint do what a run needs",
  about: `
Each line is ok, a warning (some work will not go well) or a fault (work will fail), with what to do. The exit status is 1 where
there is a fault.

Without flags: Node, the arithmetic, disk and hub. With --checkpoint, which may be given several times: whether its family and
weights can be read, and whether they fit into memory; of one on the hub only config.json and the index of weights are
downloaded. With --base-url: a question of a few tokens, asked twice as culprit generate asks.

  culprit doctor
  culprit doctor --checkpoint hf://HuggingFaceTB/SmolLM2-1.7B-Instruct
  culprit doctor --base-url http://localhost:8000/v1 --model qwen`,
  version: 1,
  inputs: { checkpoint: namedCheckpoints },
  settings: z.strictObject({
    folder: path.default(".").meta({
      description: "Where results are going to be written.",
      placeholder: "DIR",
    }),
    endpoint: endpointSettings.optional().describe("Whom to ask. Absent: nobody."),
  }),
  outputs: {},
  run: async ({ checkpoint: names = [] }, { folder, endpoint }, work): Promise<Diagnosis> => {
    const { signal, download } = work;
    const findings: Finding[] = [checkNode(), await checkArithmetic()];
    findings.push(await checkFolder(folder), await checkHub(names.some(isHubUri), { signal }));
    const memory = readMemory();
    for (const name of names) findings.push(...(await checkCheckpoint(name, { memory, download })));
    if (endpoint !== undefined) findings.push(await checkEndpoint(endpoint, signal));
    return { findings };
  },
  show: ({ findings }) => formatFindings(findings),
  fault: ({ findings }) => {
    const faults = findings.filter(({ status }) => status === "fault");
    if (faults.length === 0) return undefined;
    const count = `${faults.length} ${faults.length === 1 ? "fault" : "faults"}`;
    return new RuntimeError(`doctor: ${count}: ${faults.map(({ check }) => check).join(", ")}`, {
      hint: "What to do stands under each.",
    });
  },
});
