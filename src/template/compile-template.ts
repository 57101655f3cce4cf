/**
 * @file Chat templates as transformers renders them: Jinja with trim_blocks, lstrip_blocks, loop controls and the sandbox of
 * `ImmutableSandboxedEnvironment`. Held to Jinja2 by test/templates.test.ts. Templates come from anywhere: they cannot reach anything but the values they
 * are given, and loops, recursion and output are limited.
 */
import { ConfigError, CulpritError, UnsupportedError } from "../util/errors.ts";
import { compileRoot } from "./compile-statements.ts";
import { Dict } from "./dict.ts";
import { type Plain, fromPlain } from "./from-plain.ts";
import { globalsOf } from "./globals.ts";
import { parseTemplate } from "./parse-template.ts";
import {
  PythonError,
  RaisedByTemplate,
  TemplateSyntaxError,
  UnsupportedConstruct,
} from "./python-error.ts";
import { Rendering } from "./rendering.ts";
import { type Value, textOf } from "./values.ts";

/** The template called raise_exception: it does not take this conversation (two user turns in a row, a system turn, …). */
export class TemplateRefusal extends CulpritError {}

/** The rendering broke off as it would in Python: an undefined name was used, a None was added to a text, … */
export class TemplateFailure extends ConfigError {}

export interface Rendered {
  readonly text: string;
  /** Names of variables that the template asked for, such as `tools`, whether they were given or not. */
  readonly readVariables: ReadonlySet<string>;
  /** For each message the keys that it has and whose value the template never got. */
  readonly unreadKeys: readonly (readonly string[])[];
}

export interface CompiledTemplate {
  /**
   * Renders with these variables; `messages` among them is a list of objects. Throws TemplateRefusal where the template calls
   * raise_exception, TemplateFailure where Python would fail, UnsupportedError where a limit is reached or Python's result depends on the run.
   */
  render(variables: { readonly [name: string]: Plain | undefined }): Rendered;
}

export interface CompileOptions {
  /** Where the template comes from, for messages. */
  readonly source: string;
  /** `strftime_now`. Throws on a directive that it does not know. */
  readonly formatDate: (format: string) => string;
}

const SIMPLER =
  "Put a chat_template.jinja with the same output and without it into the folder, or use --template raw.";

/** Throws ConfigError where Jinja finds a fault, UnsupportedError on a construct that this interpreter does not have, both with the line. */
export function compileTemplate(
  text: string,
  { source, formatDate }: CompileOptions,
): CompiledTemplate {
  const renderRoot = explained(source, undefined, () => compileRoot(parseTemplate(text)));
  const globals = globalsOf(formatDate);
  return {
    render: (plain) => {
      const variables = explained(source, undefined, () => variablesOf(plain));
      const unread = watchMessages(variables.get("messages"));
      const rendering = new Rendering(variables, globals);
      return {
        text: explained(source, rendering, () => renderRoot(rendering)),
        readVariables: rendering.read,
        unreadKeys: unread.map((keys) => [...keys]),
      };
    },
  };
}

function variablesOf(plain: { readonly [name: string]: Plain | undefined }): Map<string, Value> {
  const variables = new Map<string, Value>();
  for (const [name, value] of Object.entries(plain)) {
    if (value !== undefined) variables.set(name, fromPlain(value));
  }
  return variables;
}

/** The keys of each message; each is taken out as the template reads it. */
function watchMessages(messages: Value | undefined): Set<string>[] {
  if (!Array.isArray(messages)) return [];
  return messages.map((message) => {
    if (!(message instanceof Dict)) return new Set<string>();
    const unread = new Set([...message.keys()].map((key) => textOf(key) ?? ""));
    message.onRead = (key) => void unread.delete(textOf(key) ?? "");
    return unread;
  });
}

/** Runs a part of the work and says its errors as the program says all of its own. */
function explained<T>(source: string, rendering: Rendering | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw explain(error, `${source}: the chat template`, rendering?.line);
  }
}

/** `line` is where the rendering was. */
function explain(error: unknown, what: string, line: number | undefined): unknown {
  if (error instanceof RaisedByTemplate) {
    return new TemplateRefusal(`${what} rejects the conversation: ${error.message}`, {
      hint: "Leave the row out, or use --template raw.",
      cause: error,
    });
  }
  if (error instanceof TemplateSyntaxError) {
    return new ConfigError(`${what} cannot be read (line ${error.line}: ${error.message})`, {
      hint: "Jinja would refuse it, too. Take the template again from where the checkpoint comes from.",
      cause: error,
    });
  }
  if (error instanceof UnsupportedConstruct) {
    return unsupported(what, error.message, error.line ?? line, error);
  }
  if (error instanceof RangeError) {
    const reason = "it is nested too deep or makes too large a value";
    return unsupported(what, reason, line, error);
  }
  if (error instanceof PythonError) {
    return new TemplateFailure(
      `${what} fails (line ${line ?? 1}: ${error.kind}: ${error.message})`,
      {
        hint: "transformers fails here, too: the template does not take such a conversation.",
        cause: error,
      },
    );
  }
  return error;
}

function unsupported(
  what: string,
  reason: string,
  line: number | undefined,
  cause: unknown,
): UnsupportedError {
  const where = line === undefined ? "" : ` (line ${line})`;
  return new UnsupportedError(`${what} is not supported: ${reason}${where}`, {
    hint: SIMPLER,
    cause,
  });
}
