import { Command } from "commander";
import { packageVersion } from "../native";
import { addCompletion } from "./commands/completion";
import { addConfig } from "./commands/config";
import { addDevices } from "./commands/devices";
import { addEvaluate } from "./commands/evaluate";
import { addInfo } from "./commands/info";
import { addInspect } from "./commands/inspect";
import { addPrepare } from "./commands/prepare";
import { addRecommend } from "./commands/recommend";
import { addTrain } from "./commands/train";
import type { Context } from "./context";

const EXAMPLES = `
Examples:
  gru4rec inspect clicks.tsv
  gru4rec prepare clicks.tsv --output shop --min-item-support 5 --min-session-length 2 --test-time 86400
  gru4rec train clicks.tsv --output shop.safetensors --loss bpr-max --layers 100
  gru4rec evaluate shop.safetensors test.tsv --k 5,20
  gru4rec recommend shop.safetensors --session 12,7,351

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage or
configuration, 130 interrupted. gru4rec train --help lists the hyperparameters.`;

/** All commands. */
export function makeProgram(context: Context): Command {
  const program = new Command("gru4rec")
    .description("Session-based recommendations with GRU4Rec")
    .version(packageVersion(), "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "gru4rec: ")) })
    .addHelpText("after", EXAMPLES);
  addInspect(program, context);
  addPrepare(program, context);
  addTrain(program, context);
  addEvaluate(program, context);
  addRecommend(program, context);
  addInfo(program);
  addConfig(program, context);
  addDevices(program);
  addCompletion(program);
  return program;
}
