import type { HoldOut, PrepareOptions } from "../../../lib";

// What prepare() promises, with an object for every event: written from its documentation, for tests of its results.

export interface Click {
  readonly session: number;
  readonly item: number;
  /** Milliseconds, so that sums are exact. */
  readonly ms: number;
  readonly type: string;
}

export interface Session {
  readonly id: number;
  readonly clicks: readonly Click[];
}

export type Parts = Readonly<Record<"train" | "validation" | "test", readonly Session[] | undefined>>;

/** What the reference throws where nothing is left. */
export class NothingLeft extends Error {}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const clicksOf = (sessions: readonly Session[]) => sessions.flatMap(({ clicks }) => clicks);
const change = (sessions: readonly Session[], work: (clicks: readonly Click[]) => readonly Click[]): Session[] => {
  const left = sessions
    .map(({ id, clicks }) => ({ id, clicks: work(clicks) }))
    .filter(({ clicks }) => clicks.length > 0);
  if (left.length === 0) throw new NothingLeft();
  return left;
};
const longOnly = (sessions: readonly Session[], minimum: number) =>
  change(sessions, (clicks) => (clicks.length >= minimum ? clicks : []));
const commonOnly = (sessions: readonly Session[], minimum: number) => {
  const all = clicksOf(sessions).map(({ item }) => item);
  return change(sessions, (clicks) => clicks.filter(({ item }) => all.filter((i) => i === item).length >= minimum));
};

/** The sessions by id, their clicks by time; of equal times in the order of the input. */
export function sessionsOf(clicks: readonly Click[]): Session[] {
  const ids = [...new Set(clicks.map(({ session }) => session))].sort((a, b) => a - b);
  return ids.map((id) => ({
    id,
    clicks: clicks.filter(({ session }) => session === id).sort((a, b) => a.ms - b.ms),
  }));
}

function cutAtGaps(sessions: readonly Session[], gap: number): Session[] {
  const cut: Click[][] = [];
  for (const { clicks } of sessions)
    clicks.forEach((click, i) => {
      if (i === 0 || click.ms - clicks[i - 1]!.ms > gap * 1000) cut.push([]);
      cut.at(-1)!.push(click);
    });
  return cut.map((clicks, i) => ({ id: i + 1, clicks }));
}

/** The last `count` sessions by the time of their first or last click; of equal times, those of the higher id. */
function last(sessions: readonly Session[], count: number, by: "start" | "end"): Session[] {
  const timeOf = ({ clicks }: Session) => clicks.at(by === "start" ? 0 : -1)!.ms;
  return [...sessions].sort((a, b) => timeOf(a) - timeOf(b) || a.id - b.id).slice(-count);
}

function split(sessions: readonly Session[], rule: HoldOut): { rest: Session[]; held: Session[]; border: number } {
  const { lastTime, lastSessions, lastFraction, by = "end", straddling = "keep" } = rule;
  const timeOf = ({ clicks }: Session) => clicks.at(by === "start" ? 0 : -1)!.ms;
  const end = rule.end === undefined ? undefined : (rule.end as number) * 1000;
  const latest = Math.max(...clicksOf(sessions).map(({ ms }) => ms));
  let border = (end ?? latest) - (lastTime ?? 0) * 1000;
  let inTest = new Set(sessions.filter((session) => timeOf(session) >= border && timeOf(session) <= (end ?? latest)));
  if (lastTime === undefined) {
    const count = lastSessions ?? Math.max(1, Math.floor(lastFraction! * sessions.length));
    inTest = new Set(last(sessions, count, by));
    border = inTest.size === sessions.length ? -Infinity : Math.min(...[...inTest].map(timeOf));
  }
  const parts = { rest: [] as Session[], held: [] as Session[] };
  const put = (part: "rest" | "held", { id }: Session, clicks: readonly Click[]) => {
    if (clicks.length > 0) parts[part].push({ id, clicks });
  };
  for (const session of sessions) {
    const before = session.clicks.filter(({ ms }) => ms < border);
    const after = session.clicks.filter(({ ms }) => ms >= border);
    const part = inTest.has(session) ? "held" : "rest";
    const tooLate = end !== undefined && timeOf(session) > end;
    if (straddling === "cut") {
      put("rest", session, before);
      if (part === "held") put("held", session, after);
    } else if (!tooLate && (straddling === "keep" || before.length === 0 || after.length === 0))
      put(part, session, session.clicks);
  }
  if (parts.rest.length === 0 || parts.held.length === 0) throw new NothingLeft();
  return { ...parts, border };
}

/** Everything that {@link prepare} does. */
export function prepareReference(clicks: readonly Click[], options: PrepareOptions): Parts {
  const { from, to, sessionGap, eventTypes, removeRepeats, untilStable, recentFraction } = options;
  const { minItemSupport = 1, minSessionLength = 1, test, validation } = options;
  const removeUnknownItems = options.removeUnknownItems ?? recentFraction !== undefined;
  let sessions = change(sessionsOf(clicks), (all) =>
    all.filter(({ ms }) => ms >= ((from as number | undefined) ?? 0) * 1000 && ms < ((to as number | undefined) ?? 1e99) * 1000),
  ); // prettier-ignore
  if (sessionGap !== undefined) sessions = cutAtGaps(sessions, sessionGap);
  if (eventTypes !== undefined)
    sessions = change(sessions, (all) => all.filter(({ type }) => eventTypes.includes(type)));
  if (removeRepeats) sessions = change(sessions, (all) => all.filter(({ item }, i) => item !== all[i - 1]?.item));
  for (let before = -1; before !== sum(sessions.map((session) => session.clicks.length));) {
    before = untilStable ? sum(sessions.map((session) => session.clicks.length)) : -1;
    sessions = longOnly(commonOnly(longOnly(sessions, minSessionLength), minItemSupport), minSessionLength);
    if (!untilStable) break;
  }

  const hold = (rule: HoldOut, share?: number) => {
    const parts = split(sessions, rule);
    sessions = longOnly(parts.rest, minSessionLength);
    if (share !== undefined) recent(share);
    const known = new Set(clicksOf(sessions).map(({ item }) => item));
    const held = removeUnknownItems
      ? change(parts.held, (all) => all.filter(({ item }) => known.has(item)))
      : parts.held;
    return { held: longOnly(held, minSessionLength), border: parts.border };
  };
  const recent = (share: number) => {
    const chosen = new Set(last(sessions, Math.max(1, Math.floor(sessions.length * share)), "end"));
    sessions = sessions.filter((session) => chosen.has(session));
  };
  const tested = test && hold(test, recentFraction);
  if (test === undefined && recentFraction !== undefined) recent(recentFraction);
  let rule = validation === false ? undefined : validation;
  if (rule === true) rule = { ...test, ...(test?.end !== undefined && { end: tested!.border / 1000 }) };
  const validated = rule && hold(rule);
  return { train: sessions, validation: validated?.held, test: tested?.held };
}
