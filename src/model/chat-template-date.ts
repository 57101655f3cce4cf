import { UnsupportedError } from "../util/errors.ts";

/** The date that every template prints as today's: the one Llama's templates fall back on where no clock is given. */
export const TEMPLATE_DATE = "2024-07-26T00:00:00";

// What strftime makes of that date, a Friday, in the C locale.
const DIRECTIVES: Readonly<Record<string, string>> = {
  "%Y": "2024",
  "%y": "24",
  "%m": "07",
  "%B": "July",
  "%b": "Jul",
  "%h": "Jul",
  "%d": "26",
  "%e": "26",
  "%j": "208",
  "%A": "Friday",
  "%a": "Fri",
  "%w": "5",
  "%u": "5",
  "%H": "00",
  "%I": "12",
  "%M": "00",
  "%S": "00",
  "%p": "AM",
  "%F": "2024-07-26",
  "%T": "00:00:00",
  "%D": "07/26/24",
  "%x": "07/26/24",
  "%X": "00:00:00",
  "%c": "Fri Jul 26 00:00:00 2024",
  "%%": "%",
  // No padding, as glibc writes it.
  "%-d": "26",
  "%-m": "7",
  "%-H": "0",
  "%-I": "12",
  "%-M": "0",
};

/** What to say of a template that writes a date. */
export const describeDate = (source: string): string =>
  `${source} writes today's date: here it is always 26 July 2024, so that the same data give the same tokens; training saw the day on which it ran`;

/** `strftime_now` of chat templates, at TEMPLATE_DATE. Throws UnsupportedError on a directive that is not in the table. */
export function formatTemplateDate(format: string): string {
  return format.replace(/%-?./g, (directive) => {
    const text = DIRECTIVES[directive];
    if (text === undefined) {
      throw new UnsupportedError(
        `strftime_now: expected one of ${Object.keys(DIRECTIVES).join(" ")}, got ${directive}`,
        { hint: "Write the date into the chat template as text." },
      );
    }
    return text;
  });
}
