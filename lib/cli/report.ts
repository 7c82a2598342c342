import type { Evaluation, Recommendations } from "../index";

/** JSON for machines; a bigint becomes text, as JSON has no such number. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) => (typeof entry === "bigint" ? String(entry) : entry));
}

/** A table of the metrics, one line a list length, and what was measured. */
export function evaluationText({ recall, mrr, targets, sessions, skippedEvents, ties }: Evaluation): string {
  const lines = Object.keys(recall).map((k) => {
    const length = Number(k);
    return `Recall@${k} ${recall[length]!.toFixed(6)}  MRR@${k} ${mrr[length]!.toFixed(6)}`;
  });
  return `${lines.join("\n")}\n${targets} targets in ${sessions} sessions, ${ties} ties, ${skippedEvents} events of unknown items skipped`;
}

/** One line an item: place, id and score. */
export function recommendationText({ items, scores }: Recommendations): string {
  return items.map((item, i) => `${i + 1}\t${String(item)}\t${scores[i]!.toPrecision(6)}`).join("\n");
}

/** What is to say about a session besides its list. */
export function recommendationNotes({ skipped, fallback }: Recommendations): string[] {
  const notes: string[] = [];
  if (skipped > 0) notes.push(`${skipped} unknown item${skipped > 1 ? "s" : ""} skipped`);
  if (fallback) notes.push("no known item in the session: the most popular items of the training data");
  return notes;
}
