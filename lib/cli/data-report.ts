import type { DataCounts, DataReport, Distribution, Prepared } from "../index";
import { aligned } from "./report";

/** Characters of the longest bar. */
const BAR = 40;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

const number = (value: number) => value.toLocaleString("en-US");
const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;

/** A bar whose length is `share` of the longest one; never nothing for something. */
function bar(share: number): string {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * BAR * EIGHTHS.length));
  return "█".repeat(eighths / EIGHTHS.length) + EIGHTHS[eighths % EIGHTHS.length]!;
}

function distributionText(title: string, { min, max, mean, quantiles, histogram }: Distribution): string {
  const entries = Object.entries(quantiles).map(([share, value]) => `${Number(share) * 100} % ${number(value)}`);
  const highest = Math.max(...histogram.map(({ count }) => count));
  const labels = histogram.map(({ from, to }) => (from === to ? number(from) : `${number(from)}-${number(to)}`));
  const width = Math.max(...labels.map(({ length }) => length));
  const counts = histogram.map(({ count }) => number(count));
  const countWidth = Math.max(...counts.map(({ length }) => length));
  const lines = histogram.map(
    ({ count }, i) => `  ${labels[i]!.padStart(width)}  ${counts[i]!.padStart(countWidth)}  ${bar(count / highest)}`,
  );
  const summary = `${title}: min ${number(min)}, ${entries.join(", ")}, max ${number(max)}, mean ${mean.toFixed(2)}`;
  return [summary, ...lines.map((line) => line.trimEnd())].join("\n");
}

/** What is in a click log. */
export function dataReportText(report: DataReport): string {
  const { events, sessions, items, repeats, firstTime, lastTime, trainedSessions, warnings } = report;
  const day = (seconds: number) => {
    const date = new Date(seconds * 1000);
    return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
  };
  const facts = [
    ["events", number(events)],
    [
      "sessions",
      `${number(sessions)}, of which ${percent(trainedSessions, sessions)} have two events or more and train`,
    ],
    ["items", number(items)],
    ["time", `${day(firstTime)} to ${day(lastTime)}, ${((lastTime - firstTime) / 86_400).toFixed(1)} days`],
    ["repeats", `${number(repeats)}, ${percent(repeats, events)} of the events`],
  ] as const;
  return [
    aligned(facts),
    `\n${distributionText("Events of a session", report.lengths)}`,
    `\n${distributionText("Events of an item", report.support)}`,
    ...(warnings.length === 0 ? [] : [`\n${warnings.map(({ message }) => `warning: ${message}`).join("\n")}`]),
  ].join("\n");
}

const COUNTS = ["events", "sessions", "items"] as const;
const cells = (counts: Partial<DataCounts>) => COUNTS.map((of) => (counts[of] === undefined ? "-" : number(counts[of]))); // prettier-ignore

/** What each step of a preparation removed, what is left, and what papers print of it. */
export function prepareReportText({ recipe, published, ...report }: Prepared["report"]): string {
  const steps = report.steps.map(({ step, part, removed, left }) => [
    part === "all" ? step : `${step} (${part})`,
    ...cells(removed),
    ...cells(left),
  ]);
  const stepRows = [
    ["", "removed", "", "", "left", "", ""],
    ["step", ...COUNTS, ...COUNTS],
    ["input", "", "", "", ...cells(report.input)],
    ...steps,
  ];
  const { train, validation, test } = report;
  const theirs = (part: string) => {
    if (recipe === undefined) return [];
    const counts = typeof published === "object" && part !== "validation" ? published[part as "train" | "test"] : undefined; // prettier-ignore
    return counts === undefined ? ["unverified", "", ""] : cells(counts);
  };
  const parts = Object.entries({ train, validation, test }).flatMap(([part, counts]) =>
    counts === undefined ? [] : [[part, ...cells(counts), ...theirs(part)]],
  );
  const partRows = [
    ...(recipe === undefined ? [] : [["", "here", "", "", "published", "", ""]]),
    ["part", ...COUNTS, ...(recipe === undefined ? [] : COUNTS)],
    ...parts,
  ];
  const source = typeof published === "object" ? `\npublished in ${published.source}` : "";
  return `${table(stepRows)}\n\n${table(partRows)}${source}`;
}

/** Rows of cells, the first column to the left and the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}
