import { createContext, useContext, useEffect, useState } from "react";

/** What was asked for: on its way, refused, or there. */
export type Loaded<T> =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "ready"; readonly value: T };

/** Others whenever a run at work has more to show: then it is asked for again, and what is shown stays until the answer comes. */
export interface Versions {
  readonly all: string;
  /** Of the rankings alone: a table must not jump to its top because a model was trained. */
  readonly rankings: string;
}

export const VersionContext = createContext<Versions>({ all: "", rankings: "" });

/** Asks again whenever `key` changes; an answer that comes late is dropped. */
export function useLoaded<T>(
  key: string,
  ask: () => Promise<T>,
  of: keyof Versions = "all",
): Loaded<T> {
  const version = useContext(VersionContext)[of];
  const [state, setState] = useState<{ readonly key: string; readonly loaded: Loaded<T> }>();
  useEffect(() => {
    let isWanted = true;
    ask().then(
      (value) => isWanted && setState({ key, loaded: { kind: "ready", value } }),
      (error: unknown) =>
        isWanted &&
        setState({
          key,
          loaded: {
            kind: "failed",
            message: error instanceof Error ? error.message : String(error),
          },
        }),
    );
    return () => {
      isWanted = false;
    };
    // `ask` is another function in every rendering; `key` says what it asks.
  }, [key, version]);
  return state?.key === key ? state.loaded : { kind: "loading" };
}
