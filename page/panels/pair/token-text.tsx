import { type KeyboardEvent, type ReactNode, useState } from "react";

import type { TokenShares, TokenSide } from "../../../src/report/report-source.ts";
import { OfOne } from "../../components.tsx";
import { count, score } from "../../format.ts";
import { useTheme } from "../../theme.tsx";

const SIDES = ["chosen", "rejected"] as const;
type Side = (typeof SIDES)[number];

/** One token, and its share of the score. */
interface Token {
  readonly text: string;
  readonly share: number;
  /** Of the largest, from -1 to 1. */
  readonly strength: number;
}

/** Both responses, each token shaded by what it adds to the score or takes from it. */
export function TokenText({ tokens }: { readonly tokens: TokenShares }): ReactNode {
  const [told, setTold] = useState<{ readonly side: Side; readonly at: number }>();
  const sides = {
    chosen: tokensOf(tokens.chosen, tokens.largest),
    rejected: tokensOf(tokens.rejected, tokens.largest),
  };
  const token = told && sides[told.side][told.at];
  return (
    <>
      <p>
        The score by {tokens.method} is a sum over tokens, <OfOne>{score(tokens.sum)}</OfOne>; in
        the ranking, whose vectors are rounded, the last digit may differ. Blue and underlined: adds
        to it; orange and dotted: takes from it. A token of the rejected response adds where it
        points away from the behaviour. An empty frame is a token without text, the end of the turn
        say.
      </p>
      <p role="status">
        {told === undefined || token === undefined ? (
          "Point at a token for its share, or go to a response with the tab key and to its tokens with the arrows. The strongest are listed below."
        ) : (
          <>
            <bdi>{shown(token.text)}</bdi>: {score(token.share)}; token {count(told.at + 1)} of{" "}
            {count(sides[told.side].length)}, {told.side}; n 1, of this pair alone: no interval
          </>
        )}
      </p>
      <div className="sides">
        {SIDES.map((side) => (
          <div className="side" key={side}>
            <h3>{side}</h3>
            <ShadedTokens
              side={side}
              tokens={sides[side]}
              at={told?.side === side ? told.at : undefined}
              tell={(at) => setTold({ side, at })}
            />
            <Strongest tokens={sides[side]} />
          </div>
        ))}
      </div>
    </>
  );
}

/** One stop of the tab key, between whose tokens the arrows go. */
function ShadedTokens({
  side,
  tokens,
  at,
  tell,
}: {
  readonly side: Side;
  readonly tokens: readonly Token[];
  /** The token that is told of; undefined where it is none of these. */
  readonly at: number | undefined;
  readonly tell: (at: number) => void;
}): ReactNode {
  const press = (event: KeyboardEvent): void => {
    const now = at ?? -1;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: now + 1,
      ArrowDown: now + 1,
      ArrowLeft: now - 1,
      ArrowUp: now - 1,
      Home: 0,
      End: tokens.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    tell(Math.min(Math.max(next, 0), tokens.length - 1));
  };
  return (
    <p
      className="turn"
      tabIndex={0}
      role="group"
      aria-label={`Tokens of the ${side} response; the arrows go from one to the next`}
      onFocus={() => at === undefined && tell(0)}
      onKeyDown={press}
    >
      {tokens.map((token, i) => (
        <Shaded key={i} token={token} isTold={i === at} tell={() => tell(i)} />
      ))}
    </p>
  );
}

/** The tokens with the largest shares, largest first. */
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
  isTold,
  tell,
}: {
  readonly token: Token;
  readonly isTold: boolean;
  readonly tell: () => void;
}): ReactNode {
  const { theme } = useTheme();
  const { text, strength } = token;
  const size = Math.abs(strength);
  const color = strength > 0 ? "70 140 230" : "230 145 40";
  const most = theme === "dark" ? 0.55 : 0.5;
  return (
    <span
      className={`token${text === "" ? " empty" : ""}${isTold ? " told-of" : ""}`}
      style={{
        backgroundColor: `rgb(${color} / ${(most * size).toFixed(3)})`,
        textDecoration:
          size < 0.2 ? undefined : strength > 0 ? "underline solid" : "underline dotted",
      }}
      onMouseEnter={tell}
      title={score(token.share)}
    >
      {text}
    </span>
  );
}
