/** Our long options of the author's flags, which are not the one letter that commander wants behind one dash. */
const LONG_OPTIONS: Readonly<Record<string, string>> = {
  "-ps": "--parameters",
  "-m": "--k",
  "-t": "--test",
  "-s": "--output",
};

/**
 * Rewrites the author's flags to long options. His -m takes list lengths as words of their own (`-m 5 10 20`); they
 * become one list (`--k 5,10,20`).
 */
export function rewriteAuthorFlags(args: readonly string[]): string[] {
  const rewritten: string[] = [];
  for (let i = 0; i < args.length; ++i) {
    const long = LONG_OPTIONS[args[i]!];
    rewritten.push(long ?? args[i]!);
    if (long !== "--k") continue;
    const lengths: string[] = [];
    while (i + 1 < args.length && /^\d[\d,]*$/.test(args[i + 1]!)) lengths.push(args[++i]!);
    if (lengths.length > 0) rewritten.push(lengths.join(","));
  }
  return rewritten;
}
