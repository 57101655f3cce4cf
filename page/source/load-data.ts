/** @file Reads the data of a report from disk: JSON in scripts beside the page, or in the page itself where it is a single file. */

declare global {
  /** Called by the data's scripts. */
  interface Window {
    culpritData?: ((name: string, json: string) => void) | undefined;
  }
}

const arrived = new Map<string, string>();
const asked = new Map<string, Promise<unknown>>();

window.culpritData = (name, json) => arrived.set(name, json);

/** One part of the data by its name, read once; null where the report has nothing of it. */
export function loadData(name: string): Promise<unknown> {
  const known = asked.get(name);
  if (known !== undefined) return known;
  const inside = document.getElementById(`culprit-data-${name}`)?.textContent;
  const text = inside === undefined ? loadScript(name) : Promise.resolve(inside);
  const value = text.then((json): unknown => JSON.parse(json));
  asked.set(name, value);
  return value;
}

function loadScript(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    const fail = (): void =>
      reject(new Error(`data/${name}.js cannot be read: it must lie beside index.html`));
    script.addEventListener("error", fail);
    script.addEventListener("load", () => {
      const json = arrived.get(name);
      arrived.delete(name);
      script.remove();
      if (json === undefined) fail();
      else resolve(json);
    });
    document.head.append(script);
  });
}
