import { ConfigError, RuntimeError } from "../util/errors.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { listSettings, type Setting } from "./list-settings.ts";
import type { Verb } from "./verb.ts";

/** A word in camel case: in messages only names of settings, inputs and outputs are such. */
const CAMEL_CASE = /\b[a-z]+(?:\.[a-z]\w*)*[A-Z]\w*(?:\.\w+)*\b/g;

/** `no such folder for out`: what the name of a path belongs to. */
const OWNER = /(?<=\bfor )\w+(?=,|$)/g;

/**
 * The same error with settings, inputs and outputs of the verb called as the user knows them; errors that name none stay as they are.
 * Messages of verbs begin with `maxTokens: …`; `rename` makes `--max-tokens` or `embed.maxTokens` of it.
 */
export function renameSetting(
  error: unknown,
  verb: Verb,
  rename: (name: string, setting: Setting | undefined) => string,
): unknown {
  if (!(error instanceof ConfigError || error instanceof RuntimeError)) return error;
  const schemas = [
    verb.settings,
    ...Object.values(verb.inputs).flatMap(({ settings }) => settings ?? []),
  ];
  const settings = schemas.flatMap((schema) => listSettings(jsonSchemaOf(schema)));
  const renamed = (name: string): string => {
    const setting =
      settings.find(({ path }) => path.join(".") === name) ??
      settings.find(({ path }) => path.at(-1) === name);
    const isNamed = Object.hasOwn(verb.inputs, name) || Object.hasOwn(verb.outputs, name);
    return setting === undefined && !isNamed ? name : rename(name, setting);
  };
  const message = error.message
    .replace(/^[A-Za-z][A-Za-z0-9.]*(?=: )/, renamed)
    .replaceAll(OWNER, renamed)
    .replaceAll(CAMEL_CASE, renamed);
  const hint = error.hint?.replaceAll(CAMEL_CASE, renamed);
  if (message === error.message && hint === error.hint) return error;
  const Same = error instanceof ConfigError ? ConfigError : RuntimeError;
  return new Same(message, { hint, cause: error });
}
