import {
  DEFAULT_COHERENCE_BOUND,
  DEFAULT_HALVINGS,
  DEFAULT_PROJECT_OUT_AT,
  DEFAULT_RANDOM_DIRECTIONS,
  DEFAULT_STRENGTHS,
} from "../steering/steer-settings.ts";
import {
  type ProjectOutAt,
  STEERING_MODES,
  type SteerRequest,
} from "../steering/steering-report.ts";
import { ConfigError } from "../util/errors.ts";
import type { FlagSpec, ParsedArguments } from "./command.ts";
import { MODEL_FLAGS } from "./engine-flags.ts";
import { expectFlagsOfWay } from "./flag-ways.ts";
import { JUDGE_FLAGS } from "./judge-flags.ts";
import { type LayerSelection, parseLayers } from "./layers.ts";
import { PROMPT_FLAGS, SAMPLING_FLAGS } from "./sampling-flags.ts";

/** Flags of `culprit steer`. */
export const STEER_FLAGS = {
  ...MODEL_FLAGS,
  checkpoint: {
    type: "string",
    value: "DIR",
    describe: "What to steer: a Hugging Face folder, or hf://owner/name@revision.",
  },
  behavior: {
    type: "string",
    value: "FILE",
    describe: "The behaviour file that culprit behavior wrote.",
  },
  mode: {
    type: "string",
    value: STEERING_MODES.join("|"),
    describe: "What to do with the direction. No default.",
  },
  layers: {
    type: "string",
    value: "LIST",
    describe:
      "Layers whose directions are taken, each by itself unless together: numbers and ranges like 2,4-6, or all of the behaviour. Default: the one chosen for it; together, all above 0.",
  },
  "project-out-at": {
    type: "string",
    value: "WHERE",
    describe: `Where --mode project-out takes directions out. together: those of all --layers at once, each at its own layer. own: each by itself at its own layer. all, or a list: each by itself at every layer of the checkpoint, or at those listed. Default: ${DEFAULT_PROJECT_OUT_AT}.`,
  },
  out: {
    type: "string",
    value: "DIR",
    describe: "The folder for report, rollouts and verdicts.",
  },
  strength: {
    type: "string",
    value: "C",
    describe: "How often the mean difference is added, or auto. Default: auto.",
  },
  grid: {
    type: "string",
    value: "LIST",
    describe: `Strengths that auto climbs. Default: ${DEFAULT_STRENGTHS.join(",")}.`,
  },
  halvings: {
    type: "string",
    value: "N",
    describe: `More strengths, each halfway between the last that holds and the first that fails. Default: ${DEFAULT_HALVINGS}.`,
  },
  "coherence-bound": {
    type: "string",
    value: "NATS",
    describe: `How much less likely a token of steered text may be on average. Default: ${DEFAULT_COHERENCE_BOUND}.`,
  },
  random: {
    type: "string",
    value: "N",
    describe: `Random directions at each layer. Default: ${DEFAULT_RANDOM_DIRECTIONS}, which shows how far they differ.`,
  },
  "other-checkpoint": {
    type: "boolean",
    describe: "Steer it though the behaviour was read on another, or with another template.",
  },
  ...PROMPT_FLAGS,
  ...SAMPLING_FLAGS,
  ...JUDGE_FLAGS,
  force: {
    type: "boolean",
    describe:
      "Remove what another request, or the same one when it had finished, left in --out, and start over. What was killed goes on. With --llm, ask again about what has no readable answer in the cache.",
  },
} as const satisfies Record<string, FlagSpec>;

/** How to steer, as the flags say. */
type SteeringFlags = Pick<
  SteerRequest,
  "mode" | "projectOutAt" | "strength" | "grid" | "halvings" | "coherenceBound" | "randomDirections"
> & {
  /** Default: the layer that was chosen for the behaviour; together, all above 0. */
  readonly layers?: LayerSelection | undefined;
};

/** The values of the flags that say how to steer. Throws ConfigError where one is wrong or means nothing beside another. */
export function readSteering(args: ParsedArguments): SteeringFlags {
  const mode = args.choice("mode", STEERING_MODES);
  if (mode === undefined) {
    throw new ConfigError(`steer: expected --mode ${STEERING_MODES.join(" or ")}, got none`);
  }
  // A direction is projected out as a whole, and added at its own layer.
  const strengthFlags = ["strength", "grid", "halvings"];
  expectFlagsOfWay(args, [
    { name: "--mode add", isOn: mode === "add", flags: strengthFlags },
    { name: "--mode project-out", isOn: mode === "project-out", flags: ["project-out-at"] },
  ]);
  const at = args.text("project-out-at");
  const layers = args.text("layers");
  const grid = args.list("grid").map((word) => readStrength("grid", word));
  const given = args.text("strength");
  const strength =
    given === undefined || given === "auto" ? undefined : readStrength("strength", given);
  if (strength !== undefined && grid.length > 0) {
    throw new ConfigError("--grid: means nothing beside a --strength that is not auto");
  }
  const halvings = args.integer("halvings", { min: 0, max: 20 });
  const coherenceBound = args.number("coherence-bound", { min: 0 });
  const randomDirections = args.integer("random", { min: 1, max: 1000 });
  return {
    mode,
    ...(layers === undefined ? {} : { layers: parseLayers(layers) }),
    ...(at === undefined ? {} : { projectOutAt: readProjectOutAt(at) }),
    strength,
    ...(grid.length === 0 ? {} : { grid }),
    halvings,
    coherenceBound,
    randomDirections,
  };
}

function readProjectOutAt(text: string): ProjectOutAt {
  const word = text.trim();
  return word === "own" || word === "together" ? word : parseLayers(text, "--project-out-at");
}

function readStrength(flag: "strength" | "grid", word: string): number {
  const value = Number(word);
  if (Number.isFinite(value) && value > 0) return value;
  const expected =
    flag === "grid" ? "strengths above 0 in ascending order" : "a number above 0, or auto";
  throw new ConfigError(`--${flag}: expected ${expected}, got "${word}"`);
}
