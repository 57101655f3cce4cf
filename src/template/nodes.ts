/** @file What a template is made of, after parsing. Members stand in the order in which Jinja's compiler visits them. */
import type { ArithmeticOp } from "./numbers.ts";
import type { ComparisonOp } from "./operators.ts";

interface At {
  readonly line: number;
}

export interface NameNode extends At {
  readonly type: "Name";
  readonly name: string;
  /** "param" is a parameter of a macro or a variable of `with`. */
  readonly use: "load" | "store" | "param";
}

/** `ns.name` as the target of `set`. */
export interface NamespaceNode extends At {
  readonly type: "NamespaceRef";
  readonly name: string;
  readonly attribute: string;
}

export interface TupleNode extends At {
  readonly type: "Tuple";
  readonly items: readonly Expression[];
}

export interface Arguments {
  readonly args: readonly Expression[];
  readonly keywords: readonly { readonly key: string; readonly value: Expression }[];
  readonly moreArgs: Expression | undefined;
  readonly moreKeywords: Expression | undefined;
}

export interface CallNode extends At {
  readonly type: "Call";
  readonly callee: Expression;
  readonly given: Arguments;
}

export interface FilterNode extends At {
  readonly type: "Filter";
  /** Undefined in a filter or set block: what the block printed. */
  readonly value: Expression | undefined;
  readonly name: string;
  readonly given: Arguments;
}

export interface SliceNode extends At {
  readonly type: "Slice";
  readonly start: Expression | undefined;
  readonly stop: Expression | undefined;
  readonly step: Expression | undefined;
}

export type Expression =
  | NameNode
  | NamespaceNode
  | TupleNode
  | CallNode
  | FilterNode
  | SliceNode
  | (At & { readonly type: "Constant"; readonly value: null | boolean | bigint | number | string })
  | (At & { readonly type: "List"; readonly items: readonly Expression[] })
  | (At & {
      readonly type: "Dict";
      readonly entries: readonly (readonly [Expression, Expression])[];
    })
  | (At & { readonly type: "Attribute"; readonly value: Expression; readonly name: string })
  | (At & { readonly type: "Item"; readonly value: Expression; readonly key: Expression })
  | (At & {
      readonly type: "Test";
      readonly value: Expression;
      readonly name: string;
      readonly given: Arguments;
    })
  | (At & { readonly type: "Not"; readonly value: Expression })
  | (At & { readonly type: "Unary"; readonly op: "-" | "+"; readonly value: Expression })
  | (At & {
      readonly type: "Binary";
      readonly op: ArithmeticOp;
      readonly left: Expression;
      readonly right: Expression;
    })
  | (At & {
      readonly type: "Logic";
      readonly op: "and" | "or";
      readonly left: Expression;
      readonly right: Expression;
    })
  | (At & {
      readonly type: "Compare";
      readonly first: Expression;
      readonly rest: readonly { readonly op: ComparisonOp; readonly value: Expression }[];
    })
  | (At & { readonly type: "Concat"; readonly parts: readonly Expression[] })
  | (At & {
      readonly type: "Choice";
      readonly test: Expression;
      readonly value: Expression;
      readonly otherwise: Expression | undefined;
    });

/** What can stand left of `=` or behind `for`. */
export type Target = NameNode | NamespaceNode | TupleNode;

/** The parameters of a macro or a call block; `defaults` are those of the last ones. */
export interface ParametersNode {
  readonly params: readonly NameNode[];
  readonly defaults: readonly Expression[];
}

export interface ForNode extends At {
  readonly type: "For";
  readonly target: Target;
  readonly iterable: Expression;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
  readonly test: Expression | undefined;
  readonly recursive: boolean;
}

export interface IfNode extends At {
  readonly type: "If";
  readonly test: Expression;
  readonly body: readonly Statement[];
  readonly elifs: readonly IfNode[];
  readonly otherwise: readonly Statement[];
}

export interface MacroNode extends At, ParametersNode {
  readonly type: "Macro";
  readonly name: string;
  readonly body: readonly Statement[];
}

export interface CallBlockNode extends At, ParametersNode {
  readonly type: "CallBlock";
  readonly call: CallNode;
  readonly body: readonly Statement[];
}

/** `{% generation %}`, which transformers adds to Jinja: its body is printed as a macro's. */
export interface GenerationNode extends At, ParametersNode {
  readonly type: "Generation";
  readonly body: readonly Statement[];
}

export interface WithNode extends At {
  readonly type: "With";
  readonly targets: readonly Target[];
  readonly values: readonly Expression[];
  readonly body: readonly Statement[];
}

export interface SetBlockNode extends At {
  readonly type: "SetBlock";
  readonly target: Target;
  readonly filter: FilterNode | undefined;
  readonly body: readonly Statement[];
}

export interface FilterBlockNode extends At {
  readonly type: "FilterBlock";
  readonly body: readonly Statement[];
  readonly filter: FilterNode;
}

export type Statement =
  | ForNode
  | IfNode
  | MacroNode
  | CallBlockNode
  | GenerationNode
  | WithNode
  | SetBlockNode
  | FilterBlockNode
  | (At & { readonly type: "Data"; readonly text: string })
  | (At & { readonly type: "Print"; readonly values: readonly Expression[] })
  | (At & { readonly type: "Set"; readonly target: Target; readonly value: Expression })
  | (At & { readonly type: "Break" })
  | (At & { readonly type: "Continue" });

/** A template as a whole. */
export interface TemplateNode {
  readonly type: "Template";
  readonly body: readonly Statement[];
}
