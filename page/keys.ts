/** @file Keys of the whole page: those of one character can be switched off, since speech input and unsteady hands give them unasked. */
import { useEffect, useRef, useSyncExternalStore } from "react";

const STORED = "culprit.single-keys";
const CHANGED = "single-keys";

let hasSingleKeys = stored() !== "off";

/** Whether keys of one character do anything, and what switches it. */
export function useSingleKeys(): readonly [boolean, () => void] {
  const isOn = useSyncExternalStore(
    (listener) => {
      window.addEventListener(CHANGED, listener);
      return () => window.removeEventListener(CHANGED, listener);
    },
    () => hasSingleKeys,
  );
  return [isOn, flip];
}

/** Calls `press` for keys that nobody types into a field or a dialog, and that are not the browser's. */
export function useKeys(press: (event: KeyboardEvent) => void): void {
  const latest = useRef(press);
  latest.current = press;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (isTyping(event) || (!hasSingleKeys && event.key.length === 1)) return;
      latest.current(event);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

function isTyping({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey) return true;
  return target instanceof Element && target.closest("input, select, textarea, dialog") !== null;
}

function flip(): void {
  hasSingleKeys = !hasSingleKeys;
  try {
    localStorage.setItem(STORED, hasSingleKeys ? "on" : "off");
  } catch {
    // Where the browser keeps nothing, it holds until the page is closed.
  }
  window.dispatchEvent(new Event(CHANGED));
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null; // not allowed: as if nothing was said
  }
}
