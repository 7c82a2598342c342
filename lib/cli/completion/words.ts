import type { Command, Option } from "commander";

/** An option as a shell completes it. */
export interface OptionWords {
  readonly flag: string;
  readonly doc: string;
  readonly takesValue: boolean;
  /** Its values, where they are names; else file names are completed. */
  readonly values: readonly string[];
}

/** A command as a shell completes it. */
export interface CommandWords {
  readonly name: string;
  readonly doc: string;
  readonly options: readonly OptionWords[];
  /** Its arguments, where they are names; else file names are completed. */
  readonly values: readonly string[];
}

/** The first sentence; a menu has no room for more. */
function brief(text: string): string {
  return text.split(/ \(|; |\. /, 1)[0]!.replace(/\.$/, "");
}

function optionWords({ long, description, required, argChoices = [] }: Option): OptionWords {
  return { flag: long!, doc: brief(description), takesValue: required, values: argChoices };
}

/** Everything that can be completed, from the tree of commands. */
export function commandWords(program: Command): CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    doc: brief(command.description()),
    options: [...command.options, ...program.createHelp().visibleOptions(command).slice(-1)].map(optionWords),
    values: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
  }));
}
