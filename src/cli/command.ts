import type { Progress } from "../util/progress.ts";

/** One flag of a command. Every flag states its default and unit in `describe`. */
export interface FlagSpec {
  readonly type: "string" | "boolean";
  readonly describe: string;
  /** What stands for the value in the help text, `N`, `DIR`, …; strings only. */
  readonly value?: string | undefined;
  readonly short?: string | undefined;
  /** May be given several times. */
  readonly multiple?: boolean | undefined;
}

/** The flags as given; the command parses and checks their values itself. */
export interface ParsedArguments {
  readonly positionals: readonly string[];
  /** Names of the flags that were given. */
  readonly given: readonly string[];
  /** The last value of a string flag, or undefined where it was not given. */
  text(flag: string): string | undefined;
  /** All values of a repeatable flag as they are, for paths. */
  texts(flag: string): readonly string[];
  /** All values of a repeatable flag, comma-separated ones split. */
  list(flag: string): readonly string[];
  /** True where a boolean flag was given. */
  has(flag: string): boolean;
}

/** A terminal that lines can be drawn over on. */
export interface Screen {
  write(text: string): unknown;
  /** As they are now. */
  readonly columns: number;
  readonly rows: number;
}

/** What a command may touch of the outside world. */
export interface CommandContext {
  /** The result; nothing else goes to stdout. */
  readonly print: (text: string) => void;
  /** News, to stderr; nothing with --quiet. */
  readonly log: (line: string) => void;
  /** What the user must know before trusting the result: to stderr after "warning: ", with --quiet too. */
  readonly warn: (line: string) => void;
  /** A progress display on stderr: a bar on a terminal, plain lines otherwise. */
  readonly progress: (label: string, unit: string) => Progress;
  /** The terminal behind stderr; undefined where there is none, and with --quiet. */
  readonly screen?: Screen | undefined;
  /** Aborted by Ctrl-C (SIGINT) and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A result for machines. */
export const asJson = (result: unknown): string => JSON.stringify(result, undefined, 2);

/** One subcommand; `commands/index.ts` lists them all. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Positional arguments as the usage line shows them, `PAIRS...`. */
  readonly positionals: string;
  /** Some paragraphs for `--help`, examples included. */
  readonly description: string;
  readonly flags: Readonly<Record<string, FlagSpec>>;
  run(args: ParsedArguments, context: CommandContext): Promise<void>;
}
