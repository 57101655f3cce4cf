/** @file What one rendering has: its variables, what was printed, and the limits that a hostile template runs into. */
import { PythonError, UnsupportedConstruct, typeError } from "./python-error.ts";
import type { Load, Symbols } from "./scopes.ts";
import { MAX_TEXT_LENGTH } from "./text.ts";
import { type Keywords, MISSING, Thing, Undefined, type Value, typeName } from "./values.ts";

/** Rounds of all loops of one rendering together. */
export const MAX_ROUNDS = 2_000_000;
/** Macros and recursive loops inside each other; Python gives up at about as many. */
export const MAX_DEPTH = 150;

/** The state that all blocks of a rendering share. */
export class Rendering {
  readonly variables: ReadonlyMap<string, Value>;
  readonly globals: ReadonlyMap<string, Value>;
  /** Names of variables that the template asked for. */
  readonly read = new Set<string>();
  /** Where the statement stands that runs now. */
  line = 1;
  private rounds = 0;
  private depth = 0;
  private printed = 0;

  constructor(variables: ReadonlyMap<string, Value>, globals: ReadonlyMap<string, Value>) {
    this.variables = variables;
    this.globals = globals;
  }

  resolve(name: string): Value | typeof MISSING {
    this.read.add(name);
    const value = this.variables.get(name);
    return value === undefined ? (this.globals.get(name) ?? MISSING) : value;
  }

  countRound(): void {
    if (++this.rounds > MAX_ROUNDS) {
      throw new UnsupportedConstruct(`it loops more than ${MAX_ROUNDS} times`);
    }
  }

  countText(length: number): void {
    this.printed += length;
    if (this.printed > MAX_TEXT_LENGTH) {
      throw new UnsupportedConstruct(`it prints more than ${MAX_TEXT_LENGTH} characters`);
    }
  }

  /** Runs something that may come back to itself. */
  nested<T>(run: () => T): T {
    if (++this.depth > MAX_DEPTH) {
      throw new PythonError(
        "RuntimeError",
        `macros or loops are nested more than ${MAX_DEPTH} deep`,
      );
    }
    try {
      return run();
    } finally {
      this.depth--;
    }
  }
}

/** The variables of the template's root or of one call of a macro. */
export class Activation {
  readonly rendering: Rendering;
  private readonly parent: Activation | undefined;
  private readonly values = new Map<string, Value | typeof MISSING>();

  constructor(rendering: Rendering, parent?: Activation) {
    this.rendering = rendering;
    this.parent = parent;
  }

  get(variable: string): Value | typeof MISSING {
    const value = this.values.get(variable);
    if (value !== undefined) return value;
    return this.parent === undefined ? MISSING : this.parent.get(variable);
  }

  set(variable: string, value: Value | typeof MISSING): void {
    this.values.set(variable, value);
  }

  /** Gives the variables of a block the values with which it begins. */
  enter({ loads }: Symbols): void {
    for (const [variable, load] of loads) {
      if (load.kind !== "parameter") this.set(variable, this.initial(load));
    }
  }

  private initial(load: Load): Value | typeof MISSING {
    if (load.kind === "resolve") return this.rendering.resolve(load.name);
    return load.kind === "alias" ? this.get(load.variable) : MISSING;
  }

  leave({ loads }: Symbols): void {
    for (const variable of loads.keys()) this.set(variable, MISSING);
  }
}

/** What a block has printed. */
export class Output {
  private readonly rendering: Rendering;
  private readonly parts: string[] = [];

  constructor(rendering: Rendering) {
    this.rendering = rendering;
  }

  push(text: string): void {
    this.rendering.countText(text.length);
    this.parts.push(text);
  }

  get text(): string {
    return this.parts.join("");
  }
}

export function callValue(callee: Value, args: readonly Value[], keywords: Keywords): Value {
  if (callee instanceof Undefined) return callee.fail();
  if (callee instanceof Thing && callee.call !== undefined) return callee.call(args, keywords);
  throw typeError(`'${typeName(callee)}' object is not callable`);
}
