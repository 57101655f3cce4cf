import { isAbsolute } from "node:path";

import { findMethod } from "../attribution/methods/index.ts";
import { CLUSTER_OPTIONS } from "../engine/cluster-options.ts";
import { ALONG_RUN } from "../engine/features.ts";
import { isWhole } from "../engine/precision.ts";
import { type Contradiction, need } from "../verbs/verb.ts";
import { askedFeatures, featuresOfMethods } from "./section-settings.ts";
import type { Experiment } from "./sections.ts";

/** What an engine needs, and what it does not do: said before the first stage and not hours later. */
export function engineContradictions(given: Experiment): Contradiction[] {
  const { engine } = given;
  if (engine.kind === "ray") return rayContradictions(given);
  if (engine.kind !== "local") return [];
  const onCluster = CLUSTER_OPTIONS.filter((name) => engine[name] !== undefined);
  return [
    ...onCluster.flatMap((name) =>
      need(false, ["engine", name], `expected engine.kind ray with it, got ${engine.kind}`),
    ),
    ...need(
      engine.precision !== "BF16",
      ["engine", "precision"],
      `expected engine.kind ray with it, got ${engine.kind}`,
    ),
    ...need(
      !isWhole(engine.precision),
      ["engine", "precision"],
      `expected F32 in an experiment, whose stages sample and train: ${engine.precision} is for culprit embed and culprit behavior`,
    ),
  ];
}

function rayContradictions(given: Experiment): Contradiction[] {
  const { engine, probe, train, rank } = given;
  const { address, storage, weights, device, training, stages } = engine;
  const features = [...featuresOfMethods(given), ...askedFeatures(given)];
  const unread = features.find((each) => each !== "states");
  const trains =
    train !== undefined ||
    features.some((each) => ALONG_RUN.has(each)) ||
    rank.methods.some(({ name }) => findMethod(name).trains === true);
  return [
    ...need(stages === undefined, ["engine", "stages"], "expected none with engine.kind ray"),
    ...need(
      address !== undefined,
      ["engine", "address"],
      "expected the address of the cluster's dashboard, http://HOST:8265",
    ),
    ...need(
      storage !== undefined && isAbsolute(storage),
      ["engine", "storage"],
      "expected the absolute path of a folder that this machine and all nodes see",
    ),
    ...need(weights === undefined, ["engine", "weights"], "expected none with engine.kind ray"),
    ...need(
      !isWhole(engine.precision),
      ["engine", "precision"],
      "expected F32 or BF16 with engine.kind ray",
    ),
    ...need(
      device === "cpu" || device === "cuda",
      ["engine", "device"],
      "expected cpu or cuda with engine.kind ray",
    ),
    ...need(
      unread === undefined,
      ["rank", "methods"],
      `expected methods that read no gradients, which engine.kind ray does not read yet: it reads states, not ${unread}`,
    ),
    ...need(
      !trains || training === "local",
      ["engine", "training"],
      "expected local, which trains in this process: engine.kind ray does not train yet",
    ),
    ...need(
      probe?.amplify === undefined,
      ["probe", "amplify"],
      "expected none: engine.kind ray does not sample amplified yet",
    ),
  ];
}
