import { agreement } from "./agreement.ts";
import { audit } from "./audit.ts";
import { behavior } from "./behavior.ts";
import { capabilities } from "./capabilities.ts";
import { conditions } from "./conditions.ts";
import { discover } from "./discover.ts";
import { doctor } from "./doctor.ts";
import { edit } from "./edit.ts";
import { elicit } from "./elicit.ts";
import { embed } from "./embed.ts";
import { evaluate } from "./evaluate.ts";
import { forecast } from "./forecast.ts";
import { generate } from "./generate.ts";
import { importing } from "./import.ts";
import { judge } from "./judge.ts";
import { quality } from "./quality.ts";
import { rank } from "./rank.ts";
import { refine } from "./refine.ts";
import { report } from "./report.ts";
import { scenarios } from "./scenarios.ts";
import { shifts } from "./shifts.ts";
import { show } from "./show.ts";
import { steer } from "./steer.ts";
import { train } from "./train.ts";
import type { Verb } from "./verb.ts";

/** Every verb by its name, in the order of the work: another one is a file and its line here. */
export const verbs = {
  doctor,
  audit,
  scenarios,
  generate,
  import: importing,
  embed,
  judge,
  agreement,
  conditions,
  elicit,
  behavior,
  discover,
  forecast,
  shifts,
  steer,
  refine,
  rank,
  show,
  quality,
  edit,
  train,
  capabilities,
  evaluate,
  report,
} as const;

export const VERBS: readonly Verb[] = Object.values(verbs);
