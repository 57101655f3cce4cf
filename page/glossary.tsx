/** @file The words of the glossary: every use on the page opens its definition. docs/glossary.md is the only place that defines them. */
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import definitions from "virtual:glossary";

const GLOSSARY = new Map(definitions);

const GlossaryContext = createContext<(word: string) => void>(() => {});

/** A word of the glossary; `children` where the sentence has it in another form. */
export function Term({
  of,
  children,
}: {
  readonly of: string;
  readonly children?: ReactNode;
}): ReactNode {
  const open = useContext(GlossaryContext);
  return (
    <button type="button" className="term" onClick={() => open(of)} title="What does it mean?">
      {children ?? of}
    </button>
  );
}

/** Holds the one dialog that shows definitions. */
export function GlossaryProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [word, setWord] = useState<string>();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (word !== undefined) dialog.current?.showModal();
  }, [word]);
  return (
    <GlossaryContext value={setWord}>
      {children}
      <dialog ref={dialog} onClose={() => setWord(undefined)} aria-label="Glossary">
        {word !== undefined && (
          <>
            <h2>{word}</h2>
            <p>{GLOSSARY.get(word) ?? "The glossary does not have this word."}</p>
          </>
        )}
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </GlossaryContext>
  );
}
