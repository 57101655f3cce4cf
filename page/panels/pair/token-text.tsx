import { type ReactNode, useState } from "react";

import type { TokenShares, TokenSide } from "../../../src/report/report-source.ts";
import { score } from "../../format.ts";
import { useTheme } from "../../theme.tsx";

/** One token, and its share of the score. */
interface Token {
  readonly text: string;
  readonly share: number;
  /** Of the largest, from -1 to 1. */
  readonly strength: number;
}

/** Both responses, each token shaded by what it adds to the score or takes from it. */
export function TokenText({ tokens }: { readonly tokens: TokenShares }): ReactNode {
  const [told, setTold] = useState<Token>();
  const sides = {
    chosen: tokensOf(tokens.chosen, tokens.largest),
    rejected: tokensOf(tokens.rejected, tokens.largest),
  };
  return (
    <>
      <p>
        The score by {tokens.method} is a sum over tokens, {score(tokens.sum)}; in the ranking,
        whose vectors are rounded, the last digit may differ. Blue and underlined: adds to it;
        orange and dotted: takes from it. A token of the rejected response adds where it points away
        from the behaviour. An empty frame is a token without text, the end of the turn say.
      </p>
      <p role="status">
        {told === undefined ? (
          "Point at a token for its share; the strongest are listed below."
        ) : (
          <>
            <bdi>{shown(told.text)}</bdi>: {score(told.share)}
          </>
        )}
      </p>
      <div className="sides">
        {(["chosen", "rejected"] as const).map((side) => (
          <div className="side" key={side}>
            <h3>{side}</h3>
            <p className="turn">
              {sides[side].map((token, i) => (
                <Shaded key={i} token={token} tell={setTold} />
              ))}
            </p>
            <Strongest tokens={sides[side]} />
          </div>
        ))}
      </div>
    </>
  );
}

/** The tokens with the largest shares, for those who cannot point. */
function Strongest({ tokens }: { readonly tokens: readonly Token[] }): ReactNode {
  const strongest = tokens
    .toSorted((a, b) => Math.abs(b.strength) - Math.abs(a.strength))
    .slice(0, 5);
  return (
    <ul>
      {strongest.map(({ text, share }, i) => (
        <li key={i}>
          <bdi>{shown(text)}</bdi> {share > 0 ? "adds" : "takes"} {score(Math.abs(share))}
        </li>
      ))}
    </ul>
  );
}

const shown = (text: string): string => (text.trim() === "" ? "(no text)" : text.trim());

function tokensOf({ text, lengths, shares }: TokenSide, largest: number): Token[] {
  let at = 0;
  return lengths.map((length, i) => {
    const strength = shares[i]! / 1000;
    at += length;
    return { text: text.slice(at - length, at), share: strength * largest, strength };
  });
}

function Shaded({
  token,
  tell,
}: {
  readonly token: Token;
  readonly tell: (token: Token) => void;
}): ReactNode {
  const { theme } = useTheme();
  const { text, strength } = token;
  const size = Math.abs(strength);
  const color = strength > 0 ? "70 140 230" : "230 145 40";
  const most = theme === "dark" ? 0.55 : 0.5;
  return (
    <span
      className={text === "" ? "token empty" : "token"}
      style={{
        backgroundColor: `rgb(${color} / ${(most * size).toFixed(3)})`,
        textDecoration:
          size < 0.2 ? undefined : strength > 0 ? "underline solid" : "underline dotted",
      }}
      onMouseEnter={() => tell(token)}
      title={score(token.share)}
    >
      {text}
    </span>
  );
}
