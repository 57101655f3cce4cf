import { ConfigError } from "../util/errors.ts";
import { canonicalJson } from "../util/hash.ts";

type Settings = Readonly<Record<string, unknown>>;

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
  const [theirs, wanted] = [flat(found), flat(ours)];
  const differing = Object.keys(wanted).filter(
    (key) => canonicalJson(theirs[key] ?? null) !== canonicalJson(wanted[key] ?? null),
  );
  if (differing.length === 0) return;
  throw new ConfigError(`${path}: was made with other settings (${differing.join(", ")})`, {
    hint: "Give the same settings to go on, choose another --out, or start over with --force.",
  });
}

const flat = ({ sampling, ...rest }: Settings): Settings => ({
  ...rest,
  ...(typeof sampling === "object" ? sampling : {}),
});
