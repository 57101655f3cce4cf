import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { isRecord, readJsonObject, readTextFile } from "./tokenizer-config.ts";

/** The folder with further templates of a checkpoint, NAME.jinja each. */
export const TEMPLATE_FOLDER = "additional_chat_templates";

/** The template that conversations without tools go through, and the one for those with tools where a checkpoint has one of its own. */
const DEFAULT = "default";
const TOOL_USE = "tool_use";

export interface TemplateFile {
  readonly text: string;
  /** The file that it is in, with its name where the file has several. */
  readonly source: string;
}

export interface FoundTemplates {
  /** For conversations without tools; undefined where there is only one for tools. */
  readonly plain: TemplateFile | undefined;
  /** For conversations with tools. */
  readonly withTools: TemplateFile;
}

type Named = ReadonlyMap<string, TemplateFile>;

/**
 * Finds a model folder's templates as transformers does: chat_template.jinja and additional_chat_templates/, else chat_template.json,
 * else `chat_template` in tokenizer_config.json (which comes as `configured`), the last two with one template or several named ones.
 * Throws ConfigError where there is none, or none that is called "default" or "tool_use".
 */
export async function findTemplates(dir: string, configured: unknown): Promise<FoundTemplates> {
  const named = await readNamed(dir, configured);
  const plain = named.get(DEFAULT);
  const withTools = named.get(TOOL_USE) ?? plain;
  if (withTools !== undefined) return { plain, withTools };
  const names = [...named.keys()].map((name) => JSON.stringify(name)).join(", ");
  throw new ConfigError(
    `${dir}: expected a chat template or one named "default", got ${names === "" ? "none" : names}`,
    { hint: "Put the one that you want into chat_template.jinja in this folder." },
  );
}

async function readNamed(dir: string, configured: unknown): Promise<Named> {
  const files = await readJinjaFiles(dir);
  if (files.size > 0) return files;
  const json = join(dir, "chat_template.json");
  const fromJson = (await readJsonObject(json))?.["chat_template"];
  if (fromJson !== undefined) return namedIn(fromJson, json);
  if (configured !== undefined && configured !== null) {
    return namedIn(configured, join(dir, "tokenizer_config.json"));
  }
  throw new ConfigError(
    `${dir}: expected a chat template in chat_template.jinja, chat_template.json or tokenizer_config.json, found none`,
    { hint: "Put a chat_template.jinja into the folder, or use --template raw for a base model." },
  );
}

async function readJinjaFiles(dir: string): Promise<Named> {
  const named = new Map<string, TemplateFile>();
  const add = async (name: string, path: string): Promise<void> => {
    const text = await readTextFile(path);
    if (text !== undefined) named.set(name, { text, source: path });
  };
  await add(DEFAULT, join(dir, "chat_template.jinja"));
  for (const file of await filesIn(join(dir, TEMPLATE_FOLDER))) {
    if (file.endsWith(".jinja")) await add(file.slice(0, -6), join(dir, TEMPLATE_FOLDER, file));
  }
  return named;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

/** One template, a list of `{ name, template }`, or an object from names to templates. */
function namedIn(value: unknown, source: string): Named {
  if (typeof value === "string") return new Map([[DEFAULT, { text: value, source }]]);
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((entry) =>
        isRecord(entry) ? [entry["name"], entry["template"]] : [undefined, entry],
      )
    : isRecord(value)
      ? Object.entries(value)
      : [];
  const named = new Map<string, TemplateFile>();
  for (const [name, text] of entries) {
    if (typeof name !== "string" || typeof text !== "string") {
      throw new ConfigError(
        `${source}: expected every chat template to have a name and a text, got one without`,
        { hint: "Put the template that you want into chat_template.jinja in the same folder." },
      );
    }
    named.set(name, { text, source: `${source} (template ${JSON.stringify(name)})` });
  }
  if (named.size > 0) return named;
  throw new ConfigError(
    `${source}: expected a chat template as text, or several with names, got ${typeof value}`,
    { hint: "Put the template into chat_template.jinja in the same folder." },
  );
}
