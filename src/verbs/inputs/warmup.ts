import { type KeptStates, openKeptStates } from "../../training/kept-states.ts";
import type { Input } from "../verb.ts";

/** A training run for features along it. */
export const warmupInput = {
  kind: "training run",
  placeholder: "DIR",
  describe:
    "For features tracin and less: the folder of a training run of dpo that kept its states, as culprit train --keep-states makes it.",
  isOptional: true,
  artifact: "checkpoint",
  open: ([folder = ""]) => openKeptStates(folder),
} as const satisfies Input<KeptStates>;
