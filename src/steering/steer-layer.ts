/** @file The arms of one target: strengths from the least upwards, then random directions at the strength that was chosen. */
import type { Steering } from "../engine/generation/steering.ts";
import type { ArmRunner, RanArm } from "./arm-runner.ts";
import type { SteerSettings } from "./steer-settings.ts";
import type { CheckedArm, SteeredArm, SteeringMode } from "./steering-report.ts";
import { randomTarget, type SteeringTarget } from "./steering-target.ts";

/** What has run with one target. */
export interface LayerArms {
  readonly target: SteeringTarget;
  readonly grid: readonly RanArm<CheckedArm>[];
  /** Undefined where no strength leaves the text coherent. */
  readonly steered: RanArm<CheckedArm> | undefined;
  readonly random: readonly RanArm<CheckedArm>[];
}

interface LayerJob {
  readonly mode: SteeringMode;
  readonly settings: SteerSettings;
  readonly unsteered: SteeredArm;
  /** Of the random directions. */
  readonly seed: number;
  /** News of each arm that has run. */
  readonly note: (line: string) => void;
}

/** Runs the arms of a target. The strength is chosen by coherence alone: nothing here looks at a rate. */
export async function steerLayer(
  runner: ArmRunner,
  target: SteeringTarget,
  job: LayerJob,
): Promise<LayerArms> {
  const { mode, settings, seed } = job;
  const grid = mode === "add" ? await climb(runner, target, job) : [];
  const steered =
    mode === "add"
      ? grid.findLast(({ arm }) => arm.isCoherent || settings.strength !== "auto")
      : await runArm(runner, { target, strength: undefined }, job);
  const random: RanArm<CheckedArm>[] = [];
  if (steered !== undefined) {
    const { strength } = steered.arm;
    for (let n = 1; n <= settings.randomDirections; n++) {
      const push = { target: randomTarget(target, { seed, n }), strength, random: n };
      random.push(await runArm(runner, push, job));
    }
  }
  return { target, grid, steered, random };
}

/**
 * From the least strength to the first whose text is not coherent, then between the two by halves. Not further: text that does nothing
 * but repeat itself is likely again, so that beyond the first failure coherence says nothing.
 */
async function climb(
  runner: ArmRunner,
  target: SteeringTarget,
  job: LayerJob,
): Promise<readonly RanArm<CheckedArm>[]> {
  const grid: RanArm<CheckedArm>[] = [];
  /** Whether the text is coherent. */
  const attempt = async (strength: number): Promise<boolean> => {
    grid.push(await runArm(runner, { target, strength }, job));
    return grid.at(-1)!.arm.isCoherent;
  };
  let holds = 0;
  let fails: number | undefined;
  for (const strength of job.settings.grid) {
    if (await attempt(strength)) holds = strength;
    else fails = strength;
    if (fails !== undefined) break;
  }
  if (fails === undefined) return grid;
  for (let i = 0; i < job.settings.halvings; i++) {
    const middle: number = (holds + fails) / 2;
    if (await attempt(middle)) holds = middle;
    else fails = middle;
  }
  return grid.toSorted((a, b) => a.arm.strength! - b.arm.strength!); // all of them have one
}

/** How an arm is steered. */
interface Push {
  readonly target: SteeringTarget;
  /** Undefined: projected out. */
  readonly strength: number | undefined;
  /** Number of the random direction; undefined for the behaviour's own. */
  readonly random?: number | undefined;
}

async function runArm(
  runner: ArmRunner,
  { target, strength, random }: Push,
  { unsteered, settings, note }: LayerJob,
): Promise<RanArm<CheckedArm>> {
  const where = target.layer === undefined ? "together" : `layer-${target.layer}`;
  const which = random === undefined ? "" : `-random-${random}`;
  const how = strength === undefined ? "project-out" : `strength-${strength}`;
  const ran = await runner.run(`${where}${which}-${how}`, steeringOf(target, strength));
  const [own, plain] = [ran.arm.coherence.logprob, unsteered.coherence.logprob];
  const drop = own === undefined || plain === undefined ? undefined : plain - own;
  const isCoherent = drop !== undefined && drop <= settings.coherenceBound;
  const arm = { ...ran.arm, strength, drop, isCoherent };
  note(`${arm.name}: ${formatDrop(arm)}${isCoherent ? "" : ", not coherent"}`);
  return { arm, verdicts: ran.verdicts };
}

function steeringOf({ directions }: SteeringTarget, strength: number | undefined): Steering {
  if (strength === undefined) {
    const byLayer = new Map(directions.map(({ layer, vector }) => [layer, vector]));
    return { kind: "project-out", directions: byLayer };
  }
  const { layer, vector } = directions[0]!; // what is added is added at one layer
  return { kind: "add", layer, direction: vector, strength };
}

/** How much less likely an arm's text is than the unsteered. */
export function formatDrop({ drop }: Pick<CheckedArm, "drop">): string {
  if (drop === undefined) return "no text that could be scored";
  return `${Math.abs(drop).toFixed(2)} nats per token ${drop < 0 ? "more" : "less"} likely than unsteered`;
}
