import { isSame } from "./dict.ts";
import { sizeOf } from "./length.ts";
import { typeError } from "./python-error.ts";
import { Callable, Thing, Undefined, type Value, iterate } from "./values.ts";

/** `loop` in a for loop. It reads ahead by one item where the template asks for it, and no further. */
export class LoopContext extends Thing {
  readonly typeName = "LoopContext";
  private readonly iterator: Iterator<Value>;
  private readonly recurse: ((iterable: Value, depth: number) => Value) | undefined;
  private readonly depth0: number;
  /** How many items there are, where the value knows. */
  private known: number | undefined;
  private index0 = -1;
  private ahead: Value[] = [];
  private isDone = false;
  private before: Value | undefined;
  private current: Value | undefined;
  private lastChanged: readonly Value[] | undefined;

  /** `recurse` renders the loop's body over a value, in a loop that is marked as recursive. */
  constructor(value: Value, depth0 = 0, recurse?: (iterable: Value, depth: number) => Value) {
    super();
    this.iterator = iterate(value)[Symbol.iterator]();
    [this.depth0, this.recurse] = [depth0, recurse];
    this.known = sizeOf(value);
  }

  /** The next item, undefined at the end. */
  advance(): Value | undefined {
    const next = this.peek();
    this.ahead.shift();
    if (next === undefined) return undefined;
    this.index0++;
    [this.before, this.current] = [this.current, next];
    return next;
  }

  private peek(): Value | undefined {
    if (this.ahead.length === 0) this.read();
    return this.ahead[0];
  }

  private read(): boolean {
    if (this.isDone) return false;
    const { done, value } = this.iterator.next();
    this.isDone = done === true;
    if (!this.isDone) this.ahead.push(value);
    return !this.isDone;
  }

  private get length(): number {
    if (this.known === undefined) {
      while (this.read());
      this.known = this.index0 + 1 + this.ahead.length;
    }
    return this.known;
  }

  override size(): number {
    return this.length;
  }

  override truth(): boolean {
    return this.length > 0;
  }

  override repr(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length}>`;
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case "index":
        return BigInt(this.index0 + 1);
      case "index0":
        return BigInt(this.index0);
      case "length":
        return BigInt(this.length);
      case "revindex":
        return BigInt(this.length - this.index0);
      case "revindex0":
        return BigInt(this.length - this.index0 - 1);
      case "first":
        return this.index0 === 0;
      case "last":
        return this.peek() === undefined;
      case "depth":
        return BigInt(this.depth0 + 1);
      case "depth0":
        return BigInt(this.depth0);
      case "previtem":
        return this.before === undefined ? new Undefined("there is no previous item") : this.before;
      case "nextitem":
        return this.next();
      case "cycle":
        return new Callable(name, (items) => this.cycle(items));
      case "changed":
        return new Callable(name, (values) => this.changed(values));
      default:
        return undefined;
    }
  }

  private next(): Value {
    const item = this.peek();
    return item === undefined ? new Undefined("there is no next item") : item;
  }

  private cycle(items: readonly Value[]): Value {
    if (items.length === 0) throw typeError("no items for cycling given");
    return items[this.index0 % items.length]!;
  }

  private changed(values: readonly Value[]): boolean {
    const last = this.lastChanged;
    const isSameAsLast =
      last?.length === values.length && values.every((v, i) => isSame(v, last[i]!));
    if (!isSameAsLast) this.lastChanged = values;
    return !isSameAsLast;
  }

  override call(args: readonly Value[]): Value {
    if (this.recurse === undefined) {
      throw typeError("The loop must have the 'recursive' marker to be called recursively.");
    }
    const [iterable] = args;
    if (iterable === undefined || args.length > 1) throw typeError("loop() takes one argument");
    return this.recurse(iterable, this.depth0 + 1);
  }
}
