import { ConfigError } from "../util/errors.ts";

/** Whether a path is meant as a pattern: it holds `*`, `?`, `[` or `{`. */
export function isGlob(path: string): boolean {
  return /[*?[{]/.test(path);
}

/**
 * Compiles a glob over `/`-separated paths: `*` and `?` stay within a folder, `**` as a whole segment spans any number of
 * folders, `[abc]`, `[a-z]`, `[!abc]` and `{one,other}` choose. Throws ConfigError on an unclosed bracket or brace.
 */
export function compileGlob(glob: string): (path: string) => boolean {
  let source = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i]!;
    const isSegmentStart = i === 0 || glob[i - 1] === "/";
    if (isSegmentStart && glob.startsWith("**/", i)) {
      source += "(?:[^/]+/)*";
      i += 2;
    } else if (isSegmentStart && glob.slice(i) === "**") {
      source += ".*";
      i += 1;
    } else if (char === "*") {
      source += "[^/]*";
      while (glob[i + 1] === "*") i++;
    } else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const [, negation = "", members = ""] =
        /^\[(!?)([^\]/]+)\]/.exec(glob.slice(i)) ?? unclosed(glob, "[");
      source += `[${negation && "^/"}${members.replaceAll(/[\\^[&~|]/g, String.raw`\$&`)}]`;
      i += negation.length + members.length + 1;
    } else if (char === "{") {
      source += "(?:";
      depth++;
    } else if (char === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (char === "," && depth > 0) source += "|";
    else source += char.replace(/[\\^$.|+()\]}]/, String.raw`\$&`);
  }
  if (depth > 0) unclosed(glob, "{");
  return toMatcher(glob, source);
}

function toMatcher(glob: string, source: string): (path: string) => boolean {
  try {
    const pattern = new RegExp(`^(?:${source})$`, "s");
    return (path) => pattern.test(path);
  } catch (error) {
    throw new ConfigError(`${glob}: not a usable pattern`, {
      hint: "Ranges in [] go from the lower to the higher character.",
      cause: error,
    });
  }
}

function unclosed(glob: string, bracket: string): never {
  throw new ConfigError(`${glob}: expected the "${bracket}" to be closed`, {
    hint: "Close it, or quote the pattern so that the shell leaves it alone.",
  });
}
