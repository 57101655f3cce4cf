import { quoteName } from "../format/safetensors-header.ts";
import { FormatError } from "../util/errors.ts";
import type { CheckpointWeights, ReadFloat32Options } from "./checkpoint-weights.ts";
import type { WeightNames } from "./model-family.ts";

/**
 * The weights by the names that the family's graphs use. transformers takes base models that were saved without the head (their names
 * lack `model.`), models that were saved inside another one (theirs have it twice), and a tied table that stands under the head's name
 * alone; so does this. Takes over `weights`. Throws FormatError where two stored names are for one weight.
 */
export function renameWeights(
  weights: CheckpointWeights,
  names: WeightNames,
  { isTied, where }: { readonly isTied: boolean; readonly where: string },
): CheckpointWeights {
  const wantedName = nameReader(weights, names);
  const storedOf = new Map<string, string>();
  for (const stored of weights.names()) {
    const name = wantedName(stored);
    const earlier = storedOf.get(name);
    if (earlier !== undefined) {
      throw new FormatError(
        `${where}: the weights have ${quoteName(earlier)} and ${quoteName(stored)}, which are names of one weight`,
        { hint: "Save the model anew with transformers." },
      );
    }
    storedOf.set(name, stored);
  }
  const head = storedOf.get(names.outputMatrix);
  if (isTied && head !== undefined && !storedOf.has(names.embedding)) {
    storedOf.set(names.embedding, head);
  }
  const isPlain = [...storedOf].every(([name, stored]) => name === stored);
  return isPlain ? weights : new RenamedWeights(weights, storedOf);
}

/** The weights with `stored` under another name too, in place of what may stand there. */
export function aliasWeight(
  weights: CheckpointWeights,
  name: string,
  stored: string,
): CheckpointWeights {
  const same = [...weights.names()].map((each) => [each, each] as const);
  return new RenamedWeights(weights, new Map([...same, [name, stored]]));
}

/** Reads a stored name as the graphs' one; how the embedding table is named says how all of them are. */
function nameReader(weights: CheckpointWeights, names: WeightNames): (stored: string) => string {
  const { base, embedding, outputMatrix, outputMatrixAlias } = names;
  const isHead = (name: string): boolean => name === outputMatrix || name === outputMatrixAlias;
  const isWrapped = weights.has(`${base}${embedding}`);
  const isBare = !weights.has(embedding) && weights.has(embedding.slice(base.length));
  return (stored) => {
    const name = isWrapped && stored.startsWith(base) ? stored.slice(base.length) : stored;
    if (isHead(name)) return outputMatrix;
    return isBare ? `${base}${name}` : name;
  };
}

class RenamedWeights implements CheckpointWeights {
  readonly #weights: CheckpointWeights;
  readonly #storedOf: ReadonlyMap<string, string>;

  constructor(weights: CheckpointWeights, storedOf: ReadonlyMap<string, string>) {
    this.#weights = weights;
    this.#storedOf = storedOf;
  }

  names(): Iterable<string> {
    return this.#storedOf.keys();
  }

  has(name: string): boolean {
    return this.#storedOf.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#weights.shape(this.#stored(name));
  }

  expectShape(name: string, shape: readonly number[]): void {
    this.#weights.expectShape(this.#stored(name), shape);
  }

  async readFloat32(name: string, options?: ReadFloat32Options): Promise<Float32Array> {
    return this.#weights.readFloat32(this.#stored(name), options);
  }

  async contentHash(): Promise<string> {
    return this.#weights.contentHash();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#weights[Symbol.asyncDispose]();
  }

  /** One that is not there keeps the name that was asked for, so that the error says it. */
  #stored(name: string): string {
    return this.#storedOf.get(name) ?? name;
  }
}
