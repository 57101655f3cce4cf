import { describe, expect, it } from "vitest";

import { ConfigError } from "./errors.ts";
import { describeReadFault } from "./read-fault.ts";

const fault = (code: string): Error => Object.assign(new Error("x"), { code });

describe("describeReadFault", () => {
  it.each([
    ["ENOENT", "a.csv: no such file"],
    ["EACCES", "a.csv: expected a file that you may read, got one without that right (EACCES)"],
    ["EISDIR", "a.csv: expected a file, got a folder"],
  ])("says %s in words, with a next step", (code, message) => {
    const cause = fault(code);
    const described = describeReadFault("a.csv", cause);
    expect(described).toBeInstanceOf(ConfigError);
    expect(described).toMatchObject({ message, cause });
    expect((described as ConfigError).hint).toMatch(/^Check the path/); // just checked
  });

  it("leaves other errors as they are", () => {
    const others = [fault("EIO"), new TypeError("a bug"), "text"];
    for (const each of others) expect(describeReadFault("a.csv", each)).toBe(each);
  });
});
