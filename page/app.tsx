/** @file The frame of the page: menu, keys, and the panel that the address names. */
import { type ReactNode, useEffect, useMemo, useRef } from "react";

import type {
  PartName,
  PartValues,
  ReportSource,
  RunProgress,
} from "../src/report/report-source.ts";
import { addressHref, go, useAddress } from "./address.ts";
import { Await } from "./components.tsx";
import { GlossaryProvider } from "./glossary.tsx";
import { KeyHelp, MENU_KEYS } from "./key-help.tsx";
import { useKeys } from "./keys.ts";
import { PANELS } from "./panels/index.ts";
import type { Panel } from "./panels/panel.ts";
import { progressPanel } from "./panels/progress.tsx";
import { ProgressContext, useProgress } from "./progress.ts";
import { ThemeProvider, useTheme } from "./theme.tsx";
import { useLoaded, VersionContext, type Versions } from "./use-loaded.ts";

export function App({ source }: { readonly source: ReportSource }): ReactNode {
  return (
    <ThemeProvider>
      <GlossaryProvider>
        <Watched source={source} />
      </GlossaryProvider>
    </ThemeProvider>
  );
}

/** Asks how far the run is, below what would be made anew with every answer. */
function Watched({ source }: { readonly source: ReportSource }): ReactNode {
  const progress = useProgress(source);
  const { all, rankings } = versionsOf(progress);
  const versions = useMemo(() => ({ all, rankings }), [all, rankings]);
  // Made once: what a stage has done since the last question is of the panels that ask for it alone.
  const opened = useMemo(() => <Opened source={source} />, [source]);
  return (
    <VersionContext value={versions}>
      <ProgressContext value={progress}>{opened}</ProgressContext>
    </VersionContext>
  );
}

function versionsOf(progress: RunProgress | undefined): Versions {
  const ranked = progress?.stages.filter(({ id, state }) => /^rank\b/.test(id) && state === "done");
  return {
    all: progress?.version ?? "",
    rankings: ranked?.map(({ id }) => id).join(" ") ?? "",
  };
}

function Opened({ source }: { readonly source: ReportSource }): ReactNode {
  const overview = useLoaded("overview", () => source.part("overview"));
  return (
    <Await of={overview}>
      {(found) =>
        found === undefined && source.progress === undefined ? (
          <p role="alert">This report has no run.</p>
        ) : (
          <Frame source={source} overview={found} />
        )
      }
    </Await>
  );
}

function Frame({
  source,
  overview,
}: {
  readonly source: ReportSource;
  /** Undefined where the run has not begun. */
  readonly overview: PartValues["overview"] | undefined;
}): ReactNode {
  const { path, params } = useAddress();
  const named = PANELS.find(({ id }) => id === path[0]) ?? PANELS[0]!; // one at least
  const panel = overview === undefined ? progressPanel : named;
  const listed = PANELS.filter(
    ({ isListed }) => isListed?.(overview, source) ?? overview !== undefined,
  );
  const main = useRef<HTMLElement>(null);
  const { theme, toggle } = useTheme();
  const name = overview?.name ?? "not begun";
  useEffect(() => {
    document.title = `${panel.title} · ${name} · Culprit`;
    window.scrollTo(0, 0);
  }, [panel, name]);
  useMenuKeys(listed);
  return (
    <>
      <a
        className="skip"
        href={location.hash}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the page
      </a>
      <header>
        <p className="name">
          <b>Culprit</b> <span>{name}</span>
        </p>
        <nav aria-label="Pages">
          {listed.map(({ id, title }) => (
            <a
              key={id}
              href={addressHref([id])}
              aria-current={
                panel.id === id || (panel.id === "pair" && id === "pairs") ? "page" : undefined
              }
            >
              {title}
            </a>
          ))}
        </nav>
        <div className="tools">
          <KeyHelp listed={listed} hasReview={source.review !== undefined} />
          <button type="button" onClick={toggle}>
            {theme === "dark" ? "Light" : "Dark"}
          </button>
        </div>
      </header>
      <main ref={main} tabIndex={-1} key={panel.id}>
        <PanelPage panel={panel} source={source} path={path.slice(1)} params={params} />
      </main>
    </>
  );
}

function PanelPage({
  panel,
  source,
  path,
  params,
}: {
  readonly panel: Panel;
  readonly source: ReportSource;
  readonly path: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}): ReactNode {
  const parts = useLoaded(panel.id, async () => {
    const found = await Promise.all(
      panel.parts.map(async (name) => [name, await source.part(name)] as const),
    );
    return Object.fromEntries(found) as { [P in PartName]: PartValues[P] | undefined }; // as asked
  });
  const { View } = panel;
  return (
    <Await of={parts}>
      {(found) => <View parts={found} source={source} path={path} params={params} />}
    </Await>
  );
}

/** The digits switch pages, unless somebody types. */
function useMenuKeys(listed: readonly Panel[]): void {
  useKeys(({ key }) => {
    const panel = listed[MENU_KEYS.indexOf(key)];
    if (panel !== undefined) go(addressHref([panel.id]));
  });
}
