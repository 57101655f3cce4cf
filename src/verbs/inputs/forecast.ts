import { type Forecast, FORECAST } from "../../forecast/forecast-file.ts";
import type { Input } from "../verb.ts";
import { otherFile } from "./files.ts";

/** A forecast that was made before, read; may be absent. */
export const forecastInput = (describe: string) =>
  ({
    ...otherFile("forecast", FORECAST.name, { placeholder: "FILE.json", describe }),
    isOptional: true,
    open: ([path = ""]: readonly string[]): Promise<Forecast> => FORECAST.read(path),
  }) as const satisfies Input<Forecast>;
