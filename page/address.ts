/** @file The page's state in its URL, behind the hash, where a page from disk may keep it: #/pairs?source=web&sort=score */
import { useSyncExternalStore } from "react";

export interface Address {
  /** The panel, and what of it: ["pairs"], ["pair", "h-0123"]. */
  readonly path: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}

/** What an address is written as. */
export function addressHref(
  path: readonly string[],
  params: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(params).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "",
  );
  const query = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}`;
}

/** Goes to an address; `isReplaced` leaves no entry in the history, for what changes with every key. */
export function go(href: string, isReplaced = false): void {
  if (isReplaced) history.replaceState(undefined, "", href);
  else history.pushState(undefined, "", href);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Changes members of the query and leaves the rest of the address; undefined takes one out. `isReplaced` as of `go`. */
export function change(
  changes: Readonly<Record<string, string | undefined>>,
  isReplaced = false,
): void {
  const { path, params } = parseAddress(location.hash);
  go(addressHref(path, { ...params, ...changes }), isReplaced);
}

/** Whether `name` is in a list of the address, say of what is open, and what puts it in or takes it out. */
export function useSwitch(list: string, name: string): readonly [boolean, () => void] {
  const on = useAddress().params[list]?.split("\n") ?? [];
  const isOn = on.includes(name);
  const others = on.filter((each) => each !== name);
  return [isOn, () => change({ [list]: (isOn ? others : [...on, name]).join("\n") })];
}

export function useAddress(): Address {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return parseAddress(hash);
}

export function parseAddress(hash: string): Address {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decode),
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** A link that somebody cut is no reason for an empty page. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function subscribe(listener: () => void): () => void {
  for (const name of ["hashchange", "popstate"]) window.addEventListener(name, listener);
  return () => {
    for (const name of ["hashchange", "popstate"]) window.removeEventListener(name, listener);
  };
}
