import { expect, it } from "vitest";

import { createRedact } from "./redact.ts";

const redact = createRedact({
  folders: ["/home/jo doe/runs/mine", "/home/jo doe", "/root"],
  environment: {
    OPENAI_API_KEY: "my-own-key",
    HOME: "/home/jo doe",
    SESSION: "0123456789abcdefABCDEF0123",
    LANG: "en_US.UTF-8",
    SHORT_TOKEN: "ab",
  },
  host: "gpu-box-7",
});

it("leaves out folders of this machine, and of other absolute paths all but the last part", () => {
  expect(
    redact({
      experimentFile: "/home/jo doe/runs/mine/my.yaml",
      message:
        "cannot read '/data/secret team/mix.parquet', see /etc/x/y.txt:3 (or C:\\Users\\jo\\a.txt)",
      url: "https://me:pass@hub.example/v1/models and http://gpu-box-7:8000/v1",
      relative: "../mix/a.jsonl",
      uri: "hf://datasets/owner/name/a.parquet",
      whole: "/mnt/a b/c.jsonl",
    }),
  ).toEqual({
    experimentFile: "my.yaml",
    message: "cannot read 'secret team/mix.parquet', see y.txt:3 (or a.txt)",
    url: "https://hub.example/v1/models and http://host:8000/v1",
    relative: "../mix/a.jsonl",
    uri: "hf://datasets/owner/name/a.parquet",
    whole: "c.jsonl",
  });
});

it("leaves out values of the environment that look like keys, and keys by their form, in names too", () => {
  expect(
    redact({
      a: "my-own-key and 0123456789abcdefABCDEF0123",
      b: ["sk-abcdefghijklmnopqrstuv", "Bearer abc.def.ghi-123", "en_US.UTF-8", "ab"],
      "my-own-key": 1,
    }),
  ).toEqual({
    a: "[redacted] and [redacted]",
    b: ["[redacted]", "[redacted]", "en_US.UTF-8", "ab"],
    "[redacted]": 1,
  });
});

it("changes text of data only where it holds exactly what must not be seen", () => {
  const text = "Look into /etc/ssh/config and /root and sk-abcdefghijklmnopqrstuv.";
  expect(redact({ content: text, prompt: `${text} my-own-key` })).toEqual({
    content: text,
    prompt: `${text} [redacted]`,
  });
});

it("keeps the lengths of tokens right, finds a key that a preview cut, and keys in addresses", () => {
  const hide = createRedact({
    folders: [],
    environment: { API_TOKEN: "hunter2hunter2" },
    host: "somewhere",
  });
  const tokens = { text: "say hunter2hunter2 now", lengths: [4, 7, 7, 4] };
  const { text, lengths } = hide(tokens);
  expect(text).toBe("say •••••••••••••• now");
  expect(lengths).toEqual(tokens.lengths);
  expect(hide({ preview: "the word is hunter2hun" })).toEqual({
    preview: "the word is [redacted]",
  });
  expect(hide({ preview: "on the hunt" })).toEqual({ preview: "on the hunt" });
  const baseUrl = "https://host.example/v1?api-key=abc123&version=2";
  expect(hide({ baseUrl }).baseUrl).toContain("?api-key=[redacted]&version=2");
});
