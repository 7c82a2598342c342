import type { CommandWords, OptionWords } from "./words";

const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function optionLine(program: string, command: string, { flag, doc, takesValue, values }: OptionWords): string {
  const value = !takesValue ? "" : values.length === 0 ? " -r" : ` -x -a ${quote(values.join(" "))}`;
  const when = `-n '__fish_seen_subcommand_from ${command}'`;
  return `complete -c ${program} ${when} -l ${flag.slice(2)} -d ${quote(doc)}${value}`;
}

export function fishScript(program: string, commands: readonly CommandWords[]): string {
  return commands
    .flatMap(({ name, doc, options, values }) => [
      `complete -c ${program} -f -n __fish_use_subcommand -a ${name} -d ${quote(doc)}`,
      ...options.map((option) => optionLine(program, name, option)),
      ...(values.length === 0
        ? []
        : [`complete -c ${program} -f -n '__fish_seen_subcommand_from ${name}' -a ${quote(values.join(" "))}`]),
    ])
    .join("\n");
}
