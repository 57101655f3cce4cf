import { ConfigError } from "../util/errors.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { listSettings, type Setting } from "./list-settings.ts";
import type { Verb } from "./verb.ts";

/**
 * The same error with what it names first, a setting, input or output of the verb, called as the user knows it; other errors as they are.
 * Messages of verbs begin with `maxTokens: …`; `rename` makes `--max-tokens` or `embed.maxTokens` of it.
 */
export function renameSetting(
  error: unknown,
  verb: Verb,
  rename: (name: string, setting: Setting | undefined) => string,
): unknown {
  if (!(error instanceof ConfigError)) return error;
  const name = /^([A-Za-z][A-Za-z0-9.]*): /.exec(error.message)?.[1];
  if (name === undefined) return error;
  const schemas = [
    verb.settings,
    ...Object.values(verb.inputs).flatMap(({ settings }) => settings ?? []),
  ];
  const setting = schemas
    .flatMap((schema) => listSettings(jsonSchemaOf(schema)))
    .find(({ path }) => path.join(".") === name);
  const isNamed = Object.hasOwn(verb.inputs, name) || Object.hasOwn(verb.outputs, name);
  if (setting === undefined && !isNamed) return error;
  return new ConfigError(`${rename(name, setting)}${error.message.slice(name.length)}`, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  });
}
