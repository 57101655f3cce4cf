// util
export type { JobOptions, Progress } from "./util/progress.ts";
export { silentProgress } from "./util/progress.ts";
export {
  ConfigError,
  CulpritError,
  FormatError,
  RuntimeError,
  ShapeError,
  UnsupportedError,
} from "./util/errors.ts";
export { VERSION } from "./util/version.ts";
export { createRng, type Rng } from "./util/rng.ts";

// format
export { ROLES, type Message, type Role } from "./format/messages.ts";

// data
export type {
  ColumnValue,
  PreferencePair,
  UnusableReason,
  UnusableRow,
} from "./data/preference-pair.ts";

// engine
export type {
  EmbeddedExample,
  EmbedOptions,
  Engine,
  EngineIdentity,
  TokenizedExample,
} from "./engine/engine.ts";
