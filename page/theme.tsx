/** @file Light and dark: as the system has it, unless the reader says otherwise. */
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";

import { type Palette, PALETTES } from "./charts/palette.ts";

export type Theme = "light" | "dark";

const ThemeContext = createContext<{ readonly theme: Theme; readonly toggle: () => void }>({
  theme: "light",
  toggle: () => {},
});

export function ThemeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const [theme, setTheme] = useState<Theme>(system.matches ? "dark" : "light");
  useEffect(() => {
    const follow = (event: MediaQueryListEvent): void => setTheme(event.matches ? "dark" : "light");
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  });
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const toggle = (): void => setTheme(theme === "dark" ? "light" : "dark");
  return <ThemeContext value={{ theme, toggle }}>{children}</ThemeContext>;
}

export const useTheme = (): { readonly theme: Theme; readonly toggle: () => void } =>
  useContext(ThemeContext);

export const usePalette = (): Palette => PALETTES[useTheme().theme];
