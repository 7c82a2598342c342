import type { CommandWords, OptionWords } from "./words";

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
/** Colons and brackets end a part of a specification. */
const plain = (text: string) => text.replaceAll(/[[\]:\\]/g, "\\$&");

function valuesOf(values: readonly string[]): string {
  return values.length === 0 ? "_files" : `(${values.join(" ")})`;
}

function specification({ flag, doc, takesValue, values }: OptionWords): string {
  return quote(`${flag}[${plain(doc)}]${takesValue ? `:value:${valuesOf(values)}` : ""}`);
}

export function zshScript(program: string, commands: readonly CommandWords[]): string {
  const cases = commands.flatMap(({ name, options, values }) => [
    `    ${name})`,
    "      _arguments \\",
    ...options.map((option) => `        ${specification(option)} \\`),
    `        ${quote(`*:argument:${valuesOf(values)}`)}`,
    "      ;;",
  ]);
  return [
    `#compdef ${program}`,
    `_${program}() {`,
    "  local -a commands",
    "  commands=(",
    ...commands.map(({ name, doc }) => `    ${quote(`${name}:${plain(doc)}`)}`),
    "  )",
    "  if ((CURRENT == 2)); then",
    "    _describe command commands",
    "    return",
    "  fi",
    "  local command=$words[2]",
    "  shift words",
    "  ((CURRENT--))",
    "  case $command in",
    ...cases,
    "  esac",
    "}",
    "# Sourced it registers itself; as a file in $fpath it is the function.",
    `if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi`,
  ].join("\n");
}
