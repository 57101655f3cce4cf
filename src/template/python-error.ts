/** @file Errors inside the interpreter. `compile-template.ts` turns them into those of util/errors.ts; none leaves this folder. */

/** Names of Python's and Jinja's exceptions that a rendering raises here. */
export type PythonErrorKind =
  | "TypeError"
  | "ValueError"
  | "IndexError"
  | "KeyError"
  | "AttributeError"
  | "ZeroDivisionError"
  | "OverflowError"
  | "AssertionError"
  | "UndefinedError"
  | "SecurityError"
  | "RuntimeError";

/** What would be an exception in Python. */
export class PythonError extends Error {
  readonly kind: PythonErrorKind;

  constructor(kind: PythonErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The template called raise_exception with this message. */
export class RaisedByTemplate extends Error {}

/** The text is no template: Jinja would refuse it, too. */
export class TemplateSyntaxError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Python would go on here, and this interpreter does not. `line` is unknown where it shows in the middle of an expression. */
export class UnsupportedConstruct extends Error {
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

export function typeError(message: string): PythonError {
  return new PythonError("TypeError", message);
}

export function valueError(message: string): PythonError {
  return new PythonError("ValueError", message);
}
