import { describeValue, expected, type Problem } from "../errors";
import { authorSource, parseAuthorText } from "./author-notation";
import type { Given, Source } from "./source";

/**
 * Reads the author's parameter string, such as `loss=bpr-max,layers=100/100,constrained_embedding=True`.
 * @param text - Anything else than a string is a problem of the result.
 */
export function parameterStringSource(text: unknown): Source {
  if (typeof text !== "string") {
    const message = expected("parameters", "a string such as loss=bpr-max,layers=100", text);
    return { author: true, given: new Map(), problems: [{ path: "parameters", message }] };
  }
  const entries: Given[] = [];
  const problems: Problem[] = [];
  for (const part of text.trim() === "" ? [] : text.split(",")) {
    const separator = part.indexOf("=");
    const name = part.slice(0, separator).trim();
    if (separator < 0 || name === "") {
      const message = `Expected parameters as name=value,name=value but received ${describeValue(part)}`;
      problems.push({ path: part.trim(), message });
    } else {
      entries.push({ name, value: parseAuthorText(name, part.slice(separator + 1).trim()) });
    }
  }
  const source = authorSource(entries);
  return { ...source, problems: [...problems, ...source.problems] };
}
