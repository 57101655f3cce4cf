/**
 * @file Keeps this machine out of a report: its paths, its name, and values of the environment that look like keys. A report is mailed to
 * people who must not learn where it was made. What data sets and models say is changed only where it holds one of these exactly.
 */
import { homedir, hostname } from "node:os";
import { basename, isAbsolute, resolve, win32 } from "node:path";

/** What must not be seen. */
export interface Machine {
  /** Folders that are named in the run. */
  readonly folders: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly host: string;
}

/** This machine, and the folders of a run. */
export function thisMachine(folders: readonly string[]): Machine {
  return {
    folders: [...folders.map((path) => resolve(path)), process.cwd(), homedir()],
    environment: process.env,
    host: hostname(),
  };
}

/** The same value without what must not be seen. */
export type Redact = <T>(value: T) => T;

const HIDDEN = "[redacted]";
const SECRET_NAME = /key|token|secret|passw|credential|auth(?!or)|cookie|private/i;
/** Shorter values of such variables are words, which may stand anywhere. */
const MIN_SECRET = 6;
/** A variable of any name may hold something like this. */
const OPAQUE = /^(?=.*\d)(?=.*[A-Za-z])[\w.+/=~-]{24,}$/;
/** Members whose text is of a data set or a model. */
const TEXTS: ReadonlySet<string> = new Set([
  "content",
  "prompt",
  "response",
  "preview",
  "previews",
  "tokens",
  // By which pairs are asked for: they have to come back as they are.
  "id",
  "ids",
  "note",
]);

/** How the usual keys begin. */
const KEYS =
  /\b(?:sk-[\w-]{16,}|hf_\w{16,}|gh[pousr]_\w{20,}|AKIA[A-Z0-9]{12,}|AIza[\w-]{30,})|\bBearer [\w.~+/-]{8,}=*/g;
/** What an address says behind its question mark may let somebody in. */
const KEY_OF_URL =
  /([?&][\w.-]*(?:key|token|secret|sig|auth|passw|credential)[\w.-]*=)[^&#\s"']+/gi;
/** So much of the beginning of a secret, at the end of a text that may be cut there, is taken for it. */
const MIN_BEGINNING = MIN_SECRET;
/** In the text of tokens, whose lengths are kept beside it. */
const MASK = "•";
const USER_OF_URL = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi;
/** A path from the root, of at least one folder, whose last part is kept. */
const PATHS = /(^|[\s"'`(=,[])(?:file:\/\/)?(?:[A-Za-z]:)?[\\/](?:[^\s"'`()<>:,\\/]+[\\/])+/g;

/** Makes the redaction of a machine. */
export function createRedact(machine: Machine): Redact {
  const secrets = secretsOf(machine.environment);
  const folders = machine.folders
    .filter((path) => path.length > 1)
    .toSorted((a, b) => b.length - a.length);
  const inText = (text: string): string => {
    let found = text;
    for (const secret of secrets) found = found.replaceAll(secret, HIDDEN);
    for (const secret of secrets) found = withoutBeginning(found, secret);
    // A home that is one folder below the root, /root, is a word that data may hold.
    for (const folder of folders.filter((path) => path.split(/[\\/]/).length > 2)) {
      found = found.replaceAll(`${folder}/`, "").replaceAll(folder, basename(folder));
    }
    return found;
  };
  const inSettings = (text: string): string => {
    const found = inText(text)
      .replaceAll(KEYS, HIDDEN)
      .replaceAll(USER_OF_URL, "$1")
      .replaceAll(KEY_OF_URL, `$1${HIDDEN}`);
    const short = isPath(found) ? win32.basename(found) : found.replaceAll(PATHS, "$1");
    return machine.host.length < 4 ? short : short.replaceAll(machine.host, "host");
  };
  const walk = (value: unknown, isText: boolean): unknown => {
    if (typeof value === "string") return isText ? inText(value) : inSettings(value);
    if (Array.isArray(value)) return value.map((each) => walk(each, isText));
    if (typeof value !== "object" || value === null) return value;
    if (isTokens(value)) return { ...value, text: masked(value.text, [...secrets, ...folders]) };
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        isText ? inText(key) : inSettings(key),
        walk(member, isText || TEXTS.has(key)),
      ]),
    );
  };
  return <T>(value: T) => walk(value, false) as T; // of the same shape
}

/** The text of tokens, cut by lengths that stand beside it. */
const isTokens = (value: object): value is { readonly text: string; readonly lengths: unknown } =>
  "lengths" in value && "text" in value && typeof value.text === "string";

const masked = (text: string, hidden: readonly string[]): string =>
  hidden.reduce((found, each) => found.replaceAll(each, MASK.repeat(each.length)), text);

/** A text that was cut within a secret ends in its beginning. */
function withoutBeginning(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= MIN_BEGINNING; length--) {
    if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}${HIDDEN}`;
  }
  return text;
}

function secretsOf(environment: Machine["environment"]): readonly string[] {
  const found = Object.entries(environment).flatMap(([name, value = ""]) => {
    const isSecret = SECRET_NAME.test(name) && value.length >= MIN_SECRET;
    return isSecret || (OPAQUE.test(value) && !isAbsolute(value)) ? [value] : [];
  });
  return [...new Set(found)].toSorted((a, b) => b.length - a.length);
}

const isPath = (text: string): boolean =>
  !text.includes("\n") && text.length > 1 && (isAbsolute(text) || /^[A-Za-z]:[\\/]/.test(text));
