import type { EngineOptions } from "../engine/engine-host.ts";
import type { Engine } from "../engine/engine.ts";
import type { Amplification } from "../engine/generation/amplification.ts";
import { openEngine } from "../engine/local-host.ts";
import { ConfigError } from "../util/errors.ts";
import type { CommandContext, FlagSpec, ParsedArguments } from "./command.ts";

/** Flags of model-diff amplification. */
export const AMPLIFY_FLAGS = {
  amplify: {
    type: "string",
    value: "A",
    describe:
      "Adds A times the difference of logits to --amplify-before; --amplify=-1 samples from that checkpoint. Default: none.",
  },
  "amplify-before": {
    type: "string",
    value: "DIR",
    describe:
      "For --amplify: the checkpoint before training, with the same tokenizer. Default: none.",
  },
  "amplify-before-adapter": {
    type: "string",
    value: "DIR",
    describe: "A LoRA adapter that --amplify-before is sampled with. Default: none.",
  },
} as const satisfies Record<string, FlagSpec>;

/** The values of AMPLIFY_FLAGS. */
export interface AmplifySettings {
  readonly alpha: number;
  /** The checkpoint before, as the user names it. */
  readonly checkpoint: string;
  /** Folder of its LoRA adapter. */
  readonly adapter: string | undefined;
}

/** The values of AMPLIFY_FLAGS, or undefined without them. Throws ConfigError where one is without the other. */
export function readAmplify(args: ParsedArguments): AmplifySettings | undefined {
  const alpha = args.number("amplify");
  const checkpoint = args.text("amplify-before");
  const adapter = args.text("amplify-before-adapter");
  if (alpha !== undefined && checkpoint !== undefined) return { alpha, checkpoint, adapter };
  if (alpha === undefined && checkpoint === undefined) {
    if (adapter === undefined) return undefined;
    throw new ConfigError(
      "--amplify-before-adapter: expected --amplify-before beside it, got none",
    );
  }
  const [given, missing] =
    alpha === undefined ? ["amplify-before", "amplify"] : ["amplify", "amplify-before"];
  throw new ConfigError(`--${given}: expected --${missing} beside it, got none`, {
    hint: "Give both: --amplify says how far, --amplify-before from which checkpoint.",
  });
}

/** Opens the checkpoint before, as the one sampled from was opened but with its own adapter or none. The caller disposes of it. */
export async function openBefore(
  settings: AmplifySettings | undefined,
  options: EngineOptions,
): Promise<Engine | undefined> {
  if (settings === undefined) return undefined;
  const { adapter: _, ...others } = options;
  const { checkpoint, adapter } = settings;
  return openEngine(checkpoint, adapter === undefined ? others : { ...others, adapter });
}

/** The option of generate; warns where the two checkpoints are one. */
export function amplifyOption(
  engine: Engine,
  { before, settings }: { before: Engine | undefined; settings: AmplifySettings | undefined },
  context: CommandContext,
): { readonly amplify?: Amplification | undefined } {
  if (before === undefined || settings === undefined) return {};
  if (before.identity.checkpointHash === engine.identity.checkpointHash) {
    context.warn("--amplify-before is the checkpoint itself: there is no difference to amplify");
  }
  return { amplify: { before, alpha: settings.alpha } };
}
