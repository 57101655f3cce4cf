import { idLines } from "../edit/edit-manifest.ts";
import type { Edit } from "../edit/edit.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import type { CommandContext, ParsedArguments } from "./command.ts";
import { checkOutputFiles } from "./output-files.ts";

/** Throws ConfigError where --out cannot take ids; for before the work. `inputs` are the files that the command reads. */
export function checkIdsOutput(args: ParsedArguments, inputs: readonly string[]): void {
  const out = args.text("out");
  if (out === undefined) return;
  if (!/\.(txt|jsonl)$/.test(out)) {
    throw new ConfigError(`--out: expected a name ending in .txt or .jsonl for ids, got "${out}"`);
  }
  checkOutputFiles([out], { isForced: args.has("force"), inputs });
}

/** The ids of an edit alone: to --out as text or JSON lines, else to stdout. Throws ConfigError for ids that text cannot hold. */
export async function writeIds(
  edit: Edit,
  args: ParsedArguments,
  context: CommandContext,
): Promise<void> {
  const out = args.text("out");
  if (out === undefined) {
    context.print(args.has("json") ? JSON.stringify(edit, undefined, 2) : textLines(edit.ids));
    return;
  }
  await writeFileAtomic(out, out.endsWith(".txt") ? textLines(edit.ids) : idLines(edit.ids));
  if (args.has("json")) context.print(JSON.stringify(edit, undefined, 2));
  context.log(`${edit.ids.length} ids written to ${out}`);
}

function textLines(ids: readonly string[]): string {
  const bad = ids.find((id) => /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(id));
  if (bad === undefined) return ids.map((id) => `${id}\n`).join("");
  throw new ConfigError(
    `ids: expected ids that fit on a line of text, got ${JSON.stringify(bad)}`,
    {
      hint: "Choose --out FILE.jsonl or --json.",
    },
  );
}
