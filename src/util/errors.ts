/** Base of every error whose message is meant for the user; anything else is a bug and shows its stack. */
export class CulpritError extends Error {
  /** The next thing to do, one sentence. */
  readonly hint: string | undefined;

  /** `message` reads `where: what was expected, got what`. */
  constructor(message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** Bytes on disk are not what their format promises (corrupt, truncated or hostile files). */
export class FormatError extends CulpritError {}

/** The user's settings, flags or files do not fit together; the command line exits with 2. */
export class ConfigError extends CulpritError {}

/** Tensor shapes do not fit an op or a weight. */
export class ShapeError extends CulpritError {}

/** A valid input that this version does not handle. */
export class UnsupportedError extends CulpritError {}

/** The work itself failed: disk full, network, NaN in activations, a missing execution provider. */
export class RuntimeError extends CulpritError {}

/** There is nothing to do: an edit that takes no pairs, say. A stage is then skipped with the message, and what reads it too. */
export class NothingToDoError extends RuntimeError {}
