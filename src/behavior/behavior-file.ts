/**
 * @file A behaviour on disk: a safetensors file that any reader opens, and a JSON report beside it.
 *
 * Tensors, all F32, for each layer: `direction.<l>` [D] (every response pair equal), `direction_scenario.<l>` [D] (every
 * scenario equal), `bank.<l>` [S, D], `probe.<l>` [D] where the probe is trained, and `null.<l>` [N, D], the probe's, where
 * there are enough prompts. None is normalised, but null directions of a trained probe are unit vectors. The metadata
 * key `behavior` holds what they are as JSON.
 */
import { rm } from "node:fs/promises";

import { z } from "zod";

import {
  openSafetensors,
  writeSafetensors,
  type SafetensorsTensor,
} from "../format/safetensors.ts";
import type { Boundary } from "../model/prompt-renderer.ts";
import { unusableRowSchema } from "../pairs/preference-pair.ts";
import type { ResponsePairs } from "../pairs/response-pairs.ts";
import { type Artifact, jsonArtifact } from "../util/artifact.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { norm } from "../util/vector.ts";
import {
  describeBehavior,
  parseHead,
  type BehaviorHead,
  headSchema,
  type CheckpointParts,
} from "./behavior-head.ts";
import type { Behavior } from "./behavior.ts";
import { layerDiagnosticsSchema } from "./diagnostics.ts";
import type { Weighting } from "./mean-difference.ts";
import type { Probe } from "./probe-kind.ts";
import { unusablePairSchema } from "./tokenize-pairs.ts";

/** A behaviour read back for scoring. */
export interface StoredBehavior extends Pick<
  BehaviorHead,
  "name" | "dim" | "layers" | "scenarioIds"
> {
  /** The checkpoint that the directions belong to; pairs must have been embedded with the same. */
  readonly identity: CheckpointParts & {
    /** Absent: "text". */
    readonly boundary?: Boundary | undefined;
  };
  /** Per layer [D], not normalised, of the probe and in the weighting that the file was made with. */
  readonly directions: ReadonlyMap<number, Float32Array>;
  readonly directionKind: `${Probe}-${Weighting}`;
  /** Per layer, the length of the mean difference in the weighting of the file, whatever the probe. */
  readonly lengths: ReadonlyMap<number, number>;
  /** Per layer [S, D] in the order of `scenarioIds`; a row may be zero where a scenario's differences cancel. */
  readonly bank: ReadonlyMap<number, Float32Array>;
  /** Per layer [N, D]; a layer is missing where there were too few prompts for a null. */
  readonly nullDirections: ReadonlyMap<number, Float32Array>;
  readonly head: BehaviorHead;
}

/** What stands in the JSON file beside the vectors. */
export const BEHAVIOR_REPORT = jsonArtifact(
  "behavior.json",
  "the report of a behaviour",
  z.strictObject({
    ...headSchema.shape,
    diagnostics: z.array(layerDiagnosticsSchema),
    /** Rows that were not read as a pair, and pairs that gave no difference. */
    unusable: z.array(z.union([unusablePairSchema, unusableRowSchema])),
    /** Why directions that were projected out are not stable, a line each; absent where all are. */
    nuisanceDoubts: z.array(z.string()).optional(),
  }),
);
export type BehaviorReport = z.output<typeof BEHAVIOR_REPORT.schema>;

/** `x.json` for `x.safetensors`. Throws ConfigError for another extension. */
export function behaviorReportPath(path: string): string {
  if (!path.endsWith(".safetensors")) {
    throw new ConfigError(`behavior file: expected a name ending in .safetensors, got "${path}"`);
  }
  return `${path.slice(0, -".safetensors".length)}.json`;
}

/**
 * Writes the report, then the vectors, each whole or not at all; existing files are replaced. Gives back the report.
 * `source` is what the response pairs were read from.
 */
export async function writeBehavior(
  path: string,
  behavior: Behavior,
  source: Pick<ResponsePairs, "files" | "unusable"> & Pick<BehaviorReport, "nuisanceDoubts">,
): Promise<BehaviorReport> {
  const head = describeBehavior(behavior, source);
  const report: BehaviorReport = {
    ...head,
    diagnostics: behavior.diagnostics,
    unusable: [...source.unusable, ...behavior.unusable],
    nuisanceDoubts: source.nuisanceDoubts?.length === 0 ? undefined : source.nuisanceDoubts,
  };
  const reportPath = behaviorReportPath(path);
  await BEHAVIOR_REPORT.write(reportPath, report);
  try {
    await writeSafetensors(path, listTensors(behavior), { behavior: JSON.stringify(head) });
  } catch (error) {
    // A report without its vectors would look like a finished behaviour.
    await rm(reportPath, { force: true });
    throw error;
  }
  return report;
}

/** Which vectors of a behaviour file are read; what is left out is not held in memory, and not checked. */
export interface ReadBehaviorOptions {
  /** Default: all that it has. */
  readonly layers?: readonly number[] | undefined;
  /** Default true. */
  readonly bank?: boolean | undefined;
}

/** A behaviour whose vectors are read when they are needed: a bank of many behaviours is larger than what is needed of each. */
export interface OpenBehavior extends Pick<
  StoredBehavior,
  "name" | "identity" | "dim" | "layers" | "head"
> {
  read(options: ReadBehaviorOptions): Promise<StoredBehavior>;
}

/** Reads what a behaviour file says of itself, and no vectors yet. Throws FormatError. */
export async function openBehavior(path: string): Promise<OpenBehavior> {
  await using file = await openSafetensors(path);
  const head = parseHead(path, file.metadata["behavior"]);
  return { ...outlineOf(head), read: (options) => readBehavior(path, options) };
}

function outlineOf(head: BehaviorHead): Omit<OpenBehavior, "read"> {
  const { name, dim, layers } = head;
  const { checkpointHash, tokenizerHash, templateHash, boundary, precision } = head.checkpoint;
  const identity = { checkpointHash, tokenizerHash, templateHash, boundary, precision };
  return { name, identity, dim, layers, head };
}

/**
 * Reads a behaviour file and checks every promise of its head against its tensors.
 * Throws FormatError naming file and tensor where one does not hold.
 */
export async function readBehavior(
  path: string,
  { layers: wanted, bank: withBank = true }: ReadBehaviorOptions = {},
): Promise<StoredBehavior> {
  await using file = await openSafetensors(path);
  const head = parseHead(path, file.metadata["behavior"]);
  const { layers, dim, scenarioIds } = head;
  const read = async (name: string, shape: readonly (number | "any")[]): Promise<Float32Array> => {
    const tensor = file.tensors.get(name);
    if (tensor === undefined) throw new FormatError(`${path}: tensor "${name}" is missing`);
    if (
      tensor.dtype !== "F32" ||
      tensor.shape.length !== shape.length ||
      shape.some((size, i) => (size === "any" ? tensor.shape[i] === 0 : size !== tensor.shape[i]))
    ) {
      throw new FormatError(
        `${path}: tensor "${name}": expected F32 [${shape.join(", ")}], got ${tensor.dtype} [${tensor.shape.join(", ")}]`,
      );
    }
    return checkFinite(path, name, toFloats(await file.readBytes(name)));
  };
  const meanPrefix = head.weighting === "rollout" ? "direction" : "direction_scenario";
  const prefix = head.probe === "mean-difference" ? meanPrefix : "probe";
  const directions = new Map<number, Float32Array>();
  const lengths = new Map<number, number>();
  const bank = new Map<number, Float32Array>();
  const nullDirections = new Map<number, Float32Array>();
  for (const layer of layers.filter((each) => wanted?.includes(each) ?? true)) {
    const direction = await read(`${prefix}.${layer}`, [dim]);
    if (direction.every((value) => value === 0)) {
      throw new FormatError(`${path}: tensor "${prefix}.${layer}" is zero, which has no direction`);
    }
    directions.set(layer, direction);
    const mean = prefix === meanPrefix ? direction : await read(`${meanPrefix}.${layer}`, [dim]);
    lengths.set(layer, norm(mean));
    if (withBank) bank.set(layer, await read(`bank.${layer}`, [scenarioIds.length, dim]));
    if (file.tensors.has(`null.${layer}`)) {
      nullDirections.set(layer, await read(`null.${layer}`, ["any", dim]));
    }
  }
  return {
    ...outlineOf(head),
    directions,
    directionKind: `${head.probe}-${head.weighting}`,
    lengths,
    bank,
    scenarioIds,
    nullDirections,
  };
}

function listTensors(behavior: Behavior): SafetensorsTensor[] {
  const dim = behavior.identity.dim;
  return behavior.layers.flatMap((layer) => {
    const { rollout, scenario, bank, probe, nullDirections } = behavior.vectors.get(layer)!;
    const vector = (name: string, values: Float32Array, rows?: number): SafetensorsTensor => ({
      name: `${name}.${layer}`,
      dtype: "F32",
      shape: rows === undefined ? [dim] : [rows, dim],
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    });
    return [
      vector("direction", rollout),
      vector("direction_scenario", scenario),
      vector("bank", bank, behavior.scenarioIds.length),
      ...(probe === undefined ? [] : [vector("probe", probe)]),
      ...(nullDirections === undefined
        ? []
        : [vector("null", nullDirections, nullDirections.length / dim)]),
    ];
  });
}

function toFloats(bytes: Uint8Array): Float32Array {
  // A copy, since the bytes may start anywhere in their buffer.
  return new Float32Array(bytes.slice().buffer);
}

function checkFinite(path: string, name: string, values: Float32Array): Float32Array {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return values;
  throw new FormatError(
    `${path}: tensor "${name}": expected finite values, got ${values[at]} at ${at}`,
  );
}

/** A behaviour: its vectors, and the report beside them. */
export const BEHAVIOR_FILE = {
  name: "behavior.safetensors",
  files: (path: string): readonly string[] => [path, behaviorReportPath(path)],
  read: readBehavior,
} as const satisfies Artifact<StoredBehavior>;
