import type { CommandWords, OptionWords } from "./words";

const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);

function valueCase({ name }: CommandWords, { flag, values }: OptionWords): string {
  return `"${name} ${flag}") words="${values.join(" ")}" ;;`;
}

/** `complete -o default` completes file names where the function finds nothing. */
export function bashScript(program: string, commands: readonly CommandWords[]): string {
  const withValue = commands.flatMap((command) =>
    command.options.filter(({ takesValue }) => takesValue).map((option) => valueCase(command, option)),
  );
  const ofCommand = commands.map(({ name, options, values }) => {
    const flags = options.map(({ flag }) => flag).join(" ");
    return `"${name} "*) if [[ $current == -* ]]; then words="${flags}"; else words="${values.join(" ")}"; fi ;;`;
  });
  return [
    `# bash completion of ${program}`,
    `_${program}() {`,
    ...indent([
      'local current="${COMP_WORDS[COMP_CWORD]}" words=""',
      "if ((COMP_CWORD == 1)); then",
      `  words="${commands.map(({ name }) => name).join(" ")} --help --version"`,
      "else",
      '  case "${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD - 1]}" in',
      ...indent(indent([...withValue, ...ofCommand])),
      "  esac",
      "fi",
      'COMPREPLY=($(compgen -W "$words" -- "$current"))',
    ]),
    "}",
    `complete -o default -F _${program} ${program}`,
  ].join("\n");
}
