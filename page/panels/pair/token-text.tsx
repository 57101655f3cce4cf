import { type ReactNode, useState } from "react";

import type { TokenShare, TokenShares } from "../../../src/report/report-source.ts";
import { score } from "../../format.ts";
import { useTheme } from "../../theme.tsx";

/** Both responses, each token shaded by what it adds to the score or takes from it. */
export function TokenText({ tokens }: { readonly tokens: TokenShares }): ReactNode {
  const [told, setTold] = useState<TokenShare>();
  const largest = Math.max(
    ...[...tokens.chosen, ...tokens.rejected].map(([, share]) => Math.abs(share)),
    Number.MIN_VALUE,
  );
  return (
    <>
      <p>
        The score ({tokens.method}) is a sum over tokens, here {score(tokens.sum)}. Underlined and
        shaded in blue: adds to it; dotted in orange: takes from it. A token of the rejected
        response adds where it points away from the behaviour.
      </p>
      <p role="status">
        {told === undefined ? (
          "Point at a token for its share."
        ) : (
          <>
            <bdi>{told[0].trim()}</bdi>: {score(told[1])}
          </>
        )}
      </p>
      <div className="sides">
        {(["chosen", "rejected"] as const).map((side) => (
          <div className="side" key={side}>
            <h3>{side}</h3>
            <p className="turn">
              {tokens[side].map((token, i) => (
                <Token key={i} token={token} largest={largest} tell={setTold} />
              ))}
            </p>
          </div>
        ))}
      </div>
    </>
  );
}

function Token({
  token,
  largest,
  tell,
}: {
  readonly token: TokenShare;
  readonly largest: number;
  readonly tell: (token: TokenShare) => void;
}): ReactNode {
  const { theme } = useTheme();
  const [text, share] = token;
  const strength = Math.abs(share) / largest;
  const [red, green, blue] = share > 0 ? [70, 140, 230] : [230, 145, 40];
  const most = theme === "dark" ? 0.55 : 0.5;
  return (
    <span
      className="token"
      style={{
        backgroundColor: `rgb(${red} ${green} ${blue} / ${(most * strength).toFixed(3)})`,
        textDecoration:
          strength < 0.25 ? undefined : share > 0 ? "underline solid" : "underline dotted",
      }}
      onMouseEnter={() => tell(token)}
      title={score(share)}
    >
      {text}
    </span>
  );
}
