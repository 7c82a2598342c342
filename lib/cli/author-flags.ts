/** Our long options of the author's flags, which are not the one letter that commander wants behind one dash. */
const LONG_OPTIONS: Readonly<Record<string, string>> = {
  "-ps": "--parameters",
  "-pf": "--config",
  "-l": "--load-model",
  "-s": "--output",
  "-t": "--test",
  "-m": "--k",
  "-e": "--ties",
  "-ik": "--item-column",
  "-sk": "--session-column",
  "-tk": "--time-column",
  "-d": "--device",
  "-lpm": "--log-primary-metric",
};

const isListLengths = (word: string) => /^\d[\d,]*$/.test(word);
const isPath = (word: string) => word === "-" || !word.startsWith("-");

/**
 * Rewrites the author's flags to long options. His -m and -t take several words: `-m 5 10 20` becomes `--k 5,10,20`, and
 * `-t a.tsv b.tsv` becomes `--test a.tsv --test b.tsv`. What stands behind `--` stays.
 */
export function rewriteAuthorFlags(args: readonly string[]): string[] {
  const rewritten: string[] = [];
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  let next = 0;
  const takeWhile = (belongs: (word: string) => boolean) => {
    const first = next;
    while (next < end && belongs(args[next]!)) ++next;
    return args.slice(first, next);
  };
  while (next < end) {
    const word = args[next++]!;
    const long = Object.hasOwn(LONG_OPTIONS, word) ? LONG_OPTIONS[word]! : word;
    if (word === "-m") rewritten.push(long, ...[takeWhile(isListLengths).join(",")].filter((list) => list !== ""));
    else if (word === "-t") {
      const paths = takeWhile(isPath);
      rewritten.push(...(paths.length === 0 ? [long] : paths.flatMap((path) => [long, path])));
    } else rewritten.push(long);
  }
  return [...rewritten, ...args.slice(end)];
}
