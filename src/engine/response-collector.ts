/** Sorts what batches give for single responses back to their examples, whose responses may lie in several batches. */
export class ResponseCollector<T> {
  readonly #examples: readonly { readonly responses: readonly unknown[] }[];
  readonly #unfinished = new Map<number, (T | undefined)[]>();

  constructor(examples: readonly { readonly responses: readonly unknown[] }[]) {
    this.#examples = examples;
  }

  /** What all responses of the example have got, in their order, if this was the last of them. */
  add(example: number, response: number, value: T): readonly T[] | undefined {
    const count = this.#examples[example]!.responses.length; // an index into the examples
    const found = this.#unfinished.get(example) ?? Array.from({ length: count }, () => undefined);
    found[response] = value;
    const complete = found.filter((each) => each !== undefined);
    if (complete.length < count) {
      this.#unfinished.set(example, found);
      return undefined;
    }
    this.#unfinished.delete(example);
    return complete;
  }
}
