import { ConfigError } from "../util/errors.ts";
import { canonicalJson } from "../util/hash.ts";

type Settings = Readonly<Record<string, unknown>>;

/** Where a setting is called otherwise than what files have of it. */
const NAMES: Readonly<Record<string, string>> = { samples: "rollouts" };

/**
 * Throws ConfigError, which names what differs, unless what a file was made with is `ours`, member by member of `sampling` too. `found` is
 * undefined where the file has no manifest.
 */
export function expectSameSettings(
  path: string,
  found: Settings | undefined,
  ours: Settings,
): void {
  if (found === undefined) {
    throw new ConfigError(`${path}: exists already, without its manifest`, {
      hint: "Choose another --out, or replace it with --force.",
    });
  }
  const differing = differingSettings(found, ours);
  if (differing.length === 0) return;
  const names = new Set(differing.map((key) => NAMES[key] ?? key.replace(/Hash$/, "")));
  throw new ConfigError(`${path}: was made with other settings (${[...names].join(", ")})`, {
    hint: "Give the same settings to go on, choose another --out, or start over with --force.",
  });
}

/** Whether each of `ours` is as in `found`. */
export const isSameSettings = (found: Settings, ours: Settings): boolean =>
  differingSettings(found, ours).length === 0;

function differingSettings(found: Settings, ours: Settings): readonly string[] {
  const [theirs, wanted] = [flat(found), flat(ours)];
  return Object.keys(wanted).filter(
    (key) => canonicalJson(theirs[key] ?? null) !== canonicalJson(wanted[key] ?? null),
  );
}

const flat = ({ sampling, ...rest }: Settings): Settings => ({
  ...rest,
  ...(typeof sampling === "object" ? sampling : {}),
});
