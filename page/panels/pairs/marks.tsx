import type { ReactNode } from "react";

import type { PairFlag } from "../../../src/report/report-source.ts";
import { Term } from "../../glossary.tsx";

const MEANINGS = {
  planted: <Term of="planted" />,
  repeated: <Term of="repeated" />,
  "near-identical": <Term of="near-identical" />,
  "shared prompt": <Term of="shared prompt" />,
  "low norm": <Term of="low norm" />,
  "no text": <Term of="no text" />,
} as const satisfies Record<PairFlag, ReactNode>;

/** What a pair is marked for; each mark opens its definition. */
export const Marks = ({ of }: { readonly of: readonly PairFlag[] }): ReactNode =>
  of.map((flag) => (
    <span key={flag} className={`mark ${flag}`}>
      {MEANINGS[flag]}
    </span>
  ));
