import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { prepare, type EventLog, type Prepared, type PrepareOptions, type RecipeName } from "../../../lib";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

// Small files of exactly the raw format; what is expected of each is worked out by hand in its comment.

const folder = temporaryFolder();
const DAY = 86_400;

// A zone with a change of clocks in October: nothing may depend on it.
process.env.TZ = "Europe/Berlin";

/** A folder of raw files. */
function raw(name: string, files: Readonly<Record<string, readonly string[] | Buffer>>): string {
  mkdirSync(folder.path(name));
  for (const [file, content] of Object.entries(files))
    writeFileSync(`${folder.path(name)}/${file}`, content instanceof Buffer ? content : `${content.join("\n")}\n`);
  return folder.path(name);
}

/** Sessions as text: id, then item@seconds since `zero` of each event. */
function sessions({ sessionIds, itemIds, items, times, offsets }: EventLog, zero: number): string[] {
  return Array.from({ length: sessionIds.length }, (_, s) => {
    const events = [];
    for (let e = offsets[s]!; e < offsets[s + 1]!; ++e)
      events.push(`${itemIds[items[e]!]}@${Math.round((times[e]! - zero) * 1000) / 1000}`);
    return `${String(sessionIds.at(s))}: ${events.join(" ")}`;
  });
}

async function follow(
  recipe: RecipeName,
  path: string,
  zero: number,
  options: PrepareOptions = {},
): Promise<Record<"train" | "validation" | "test", string[]> & { report: Prepared["report"] }> {
  const { train, validation, test, report } = await prepare(path, { recipe, ...options });
  return {
    train: sessions(train, zero),
    validation: validation ? sessions(validation, zero) : [],
    test: sessions(test!, zero),
    report,
  };
}

describe("rsc15", () => {
  // Zero is 2014-04-01T00:00:00Z. Items 1 and 2 have 5 events or more by themselves: sessions 11 to 15 are 1 2 each.
  const zero = Date.UTC(2014, 3, 1) / 1000;
  const at = (day: number, seconds: number) => new Date((zero + day * DAY + seconds) * 1000).toISOString();
  const base = [11, 12, 13, 14, 15].flatMap((session) => [
    `${session},${at(0, session)},1,0`,
    `${session},${at(0, session + 1)},2,S`,
  ]);
  const lines = [
    ...base,
    // One event: session 20 goes first, so that item 3 has 4 events in the sessions 21 to 24 and goes, too.
    `20,${at(0, 0)},3,0`,
    ...[21, 22, 23].flatMap((session) => [`${session},${at(1, session)},1,0`, `${session},${at(1, session + 2)},3,0`]),
    // Without item 3, sessions 21 to 23 have one event left and go; 24 has two, which are the same item now: they stay.
    ...[`24,${at(1, 100)},2,0`, `24,${at(1, 101)},3,0`, `24,${at(1, 102)},2,0`],
    // Written out of order, with milliseconds; the log's last event is at day 3, 0.5 s.
    `31,${at(3, 0.5)},2,0`,
    `31,${at(2, 0.25)},1,0`,
    // Ends exactly 24 h before: in the test, whole, though it begins a day before that.
    `32,${at(1, 0.5)},1,0`,
    `32,${at(2, 0.5)},2,0`,
    // Ends a millisecond earlier: training.
    `33,${at(2, 0.499)},1,0`,
    `33,${at(2, 0.4)},2,0`,
    // Item 5 has 5 events, all of them in the test: unknown, so 41 loses it and is left with 1 1, and 42 is too short.
    ...[`41,${at(2, 10)},5,0`, `41,${at(2, 11)},1,0`, `41,${at(2, 12)},5,0`, `41,${at(2, 13)},1,0`],
    ...[`42,${at(2, 10)},5,0`, `42,${at(2, 11)},2,0`, `42,${at(2, 12)},5,0`, `42,${at(2, 12)},5,0`],
  ];
  const path = raw("rsc15", { "yoochoose-clicks.dat": lines });
  const training = [11, 12, 13, 14, 15].map((session) => `${session}: 1@${session} 2@${session + 1}`);

  test("follows the first paper", async () => {
    const { train, test, report } = await follow("rsc15", path, zero);
    expect(train).toEqual([...training, "24: 2@86500 2@86502", "33: 2@172800.4 1@172800.499"]);
    expect(test).toEqual(["31: 1@172800.25 2@259200.5", "32: 1@86400.5 2@172800.5", "41: 1@172811 1@172813"]);
    expect(report.published).toMatchObject({ train: { events: 31_637_239 }, test: { sessions: 15_324 } });
    expect(
      report.steps.map(({ step, part, removed }) => [step, part, removed.events, removed.sessions, removed.items]),
    ).toEqual([
      ["short sessions", "all", 1, 1, 0],
      ["rare items", "all", 4, 0, 1],
      ["short sessions", "all", 3, 3, 0],
      ["split", "test", 0, 0, 0],
      ["unknown items", "test", 5, 0, 1],
      ["short sessions", "test", 1, 1, 0],
    ]);
  });

  test("validation: the same split again on train, the test as before", async () => {
    // Train ends at 172800.499: the sessions that end in the 24 h before, from 86400.499 on, are 24 and 33.
    const { train, validation, test } = await follow("rsc15", path, zero, { validation: true });
    expect(train).toEqual(training);
    expect(validation).toEqual(["24: 2@86500 2@86502", "33: 2@172800.4 1@172800.499"]);
    expect(test).toHaveLength(3);
  });

  test("recentFraction: the last sessions by their last event; the test loses what they do not know", async () => {
    // 7 sessions * 0.3 = 2.1, two: 33 and 24, with items 1 and 2. 1 / 7 is one: 33. Of item 1 and 2, both are known.
    expect((await follow("rsc15", path, zero, { recentFraction: 0.3 })).train).toEqual([
      "24: 2@86500 2@86502",
      "33: 2@172800.4 1@172800.499",
    ]);
    // Session 34 ends when 33 does and has the higher id, so it is the last of 8 now. It knows item 2 only: 31, 32, 41
    // and 42 get too short without item 1, and 43 does not.
    const more = [[34, 2, 0.4], [34, 2, 0.499], [43, 2, 20], [43, 1, 21], [43, 2, 22]] as const; // prettier-ignore
    const rows = more.map(([session, item, seconds]) => `${session},${at(2, seconds)},${item},0`);
    const changed = raw("recent", { "yoochoose-clicks.dat": [...lines, ...rows] });
    const { train, test, report } = await follow("rsc15", changed, zero, { recentFraction: 1 / 8 });
    expect(train).toEqual(["34: 2@172800.4 2@172800.499"]);
    expect(test).toEqual(["43: 2@172820 2@172822"]);
    expect(report.published).toBe("unverified");
  });

  test("a single file may be named itself, packed or not", async () => {
    const packed = raw("packed", { "yoochoose-clicks.dat.gz": gzipSync(`${lines.join("\n")}\n`) });
    const expected = await prepare(path, { recipe: "rsc15" });
    expect(await prepare(packed, { recipe: "rsc15" })).toEqual(expected);
    expect(await prepare(`${path}/yoochoose-clicks.dat`, { recipe: "rsc15" })).toEqual(expected);
  });
});

/** Lines of sessions that make the items 1 and 2 frequent enough, by a row of each event. */
const frequent = (row: (session: number, item: number, seconds: number) => string, sessionsFrom = 900) =>
  [0, 1, 2, 3, 4].flatMap((i) => [row(sessionsFrom + i, 1, i), row(sessionsFrom + i, 2, i + 5)]);

test("yoochoose: both files, whole seconds, ties by item, repeats, until stable, cut at the border", async () => {
  const zero = Date.UTC(2014, 3, 1) / 1000;
  const at = (seconds: number) => new Date((zero + seconds) * 1000).toISOString();
  const row = (session: number, item: number, seconds: number) => `${session},${at(seconds)},${item},0`;
  const path = raw("yoochoose", {
    "yoochoose-clicks.dat": [
      ...frequent(row),
      // In whole seconds 2 and 10 come at one time, in the order 2, 10 (as numbers) whatever the milliseconds say. But
      // item 10 has one event and goes; then the 2s are neighbours and both stay, as repeats were removed before.
      ...[row(1, 10, 10.2), row(1, 2, 10.7), row(1, 2, 12), row(1, 1, 13), row(1, 1, 14)],
      // 1, 3, 1: item 3 has 5 events, of which three are in sessions 3 to 5 …
      ...[row(2, 1, 20), row(2, 3, 21), row(2, 3, 21.9), row(2, 3, 30), row(2, 1, 40)],
    ],
    "yoochoose-test.dat": [
      // … whose other item is rare: they get short in the second turn, and 3 is rare in the third one.
      ...[row(3, 3, 50), row(3, 71, 51), row(4, 3, 50), row(4, 72, 51), row(5, 3, 50), row(5, 73, 51)],
      // The last event is at 200000.9, in whole seconds 200000; the border is a day before that, 113600.
      ...[row(6, 1, 113_599), row(6, 2, 113_600), row(6, 1, 113_601)], // starts before: its later events are in no part, and one is too short
      ...[row(7, 2, 113_590), row(7, 1, 113_599), row(7, 2, 113_600.5)], // cut to two
      ...[row(8, 1, 113_600), row(8, 2, 200_000.9)], // starts at the border: test
    ],
  });
  const { train, test, validation, report } = await follow("yoochoose", path, zero);
  const base = [0, 1, 2, 3, 4].map((i) => `${900 + i}: 1@${i} 2@${i + 5}`);
  // Session 1 sorted: 2@10, 10@10, 2@12, 1@13, 1@14: the last one repeats its predecessor; 2@12 does not.
  // Session 2: 3@21, 3@21 and 3@30 are one after their repeats; without item 3, 1@20 and 1@40 are neighbours.
  const straddled = ["1: 2@10 2@12 1@13", "2: 1@20 1@40", "7: 2@113590 1@113599"];
  expect(train).toEqual([...straddled, ...base]);
  expect(test).toEqual(["8: 1@113600 2@200000"]);
  expect(validation).toEqual([]);
  expect(report.published).toBe("unverified");

  // One step earlier: the sessions that start in the day before the border, from 27200 on: 7. Training is all before.
  const tuned = await follow("yoochoose", path, zero, { validation: true });
  expect([tuned.train, tuned.validation, tuned.test]).toEqual([
    [...straddled.slice(0, 2), ...base],
    [straddled[2]],
    test,
  ]);

  await expectFailure(() => prepare(`${path}/yoochoose-clicks.dat`, { recipe: "yoochoose" }), "ERR_FILE", "to be the folder with yoochoose-clicks.dat and yoochoose-test.dat"); // prettier-ignore
  await expectFailure(() => prepare(folder.path("rsc15"), { recipe: "yoochoose" }), "ERR_FILE", "Expected yoochoose-test.dat (or yoochoose-test.dat.gz) in"); // prettier-ignore
});

test("retailrocket: views, gaps of events of all types, a fixed end", async () => {
  const end = 1_442_545_200;
  const border = end - 7 * DAY;
  const zero = border - 10 * DAY;
  const hour = 3600;
  const event = (visitor: number, item: number, seconds: number, type = "view", transaction = "") =>
    `${Math.round((zero + seconds) * 1000)},${visitor},${type},${item},${transaction}`;
  const path = raw("retailrocket", {
    "events.csv": [
      "timestamp,visitorid,event,itemid,transactionid",
      ...frequent((visitor, item, seconds) => event(visitor, item, seconds)),
      // Visitor 1: the cart bridges 1.5 h; then exactly one hour, which does not cut; then a millisecond more, which does.
      ...[event(1, 1, 0), event(1, 99, 0.75 * hour, "addtocart"), event(1, 2, 1.5 * hour)],
      ...[event(1, 1, 2.5 * hour), event(1, 1, 3.5 * hour + 0.001), event(1, 99, 3.6 * hour, "transaction", "7")],
      event(1, 2, 3.7 * hour),
      // Visitor 2: 1, (cart 2), 1: neighbours among the views, so the second one is a repeat; then 2.
      ...[event(2, 1, 10), event(2, 2, 11, "addtocart"), event(2, 1, 12), event(2, 2, 13)],
      // Visitor 3 straddles the border: two views before it, one at it. Visitor 4 starts at the border.
      ...[event(3, 1, 10 * DAY - 2), event(3, 2, 10 * DAY - 1), event(3, 1, 10 * DAY)],
      ...[event(4, 2, 10 * DAY), event(4, 1, 10 * DAY + 1)],
      // Starts at the very end, and after it: the first is in the test, the other in no part.
      ...[event(5, 2, 17 * DAY), event(5, 1, 17 * DAY + 1), event(6, 2, 17 * DAY + 1), event(6, 1, 17 * DAY + 2)],
    ],
  });
  // Sessions from 1 on by visitor: 1 → 1 and 2; 2 → 3; 3 → 4; 4 → 5; 5 → 6; 6 → 7; 900 … 904 → 8 … 12.
  const { train, test } = await follow("retailrocket", path, zero);
  expect(train).toEqual([
    "1: 1@0 2@5400 1@9000",
    "2: 1@12600.001 2@13320",
    "3: 1@10 2@13",
    "4: 1@863998 2@863999",
    ...[0, 1, 2, 3, 4].map((i) => `${8 + i}: 1@${i} 2@${i + 5}`),
  ]);
  expect(test).toEqual(["5: 2@864000 1@864001", "6: 2@1468800 1@1468801"]);
});

test("diginetica: semicolons, the day of a session's first event plus its time frame", async () => {
  const zero = Date.UTC(2016, 4, 1) / 1000;
  const path = raw("diginetica", {
    "train-item-views.csv": [
      "sessionId;userId;itemId;timeframe;eventdate",
      ...frequent((session, item, seconds) => `${session};NA;${item};${seconds * 1000};2016-05-01`),
      // Over midnight: the second row has the next day already, and its time frame goes on from the start of the session.
      // It stands first in the file, all the same.
      "1;NA;2;86399500;2016-05-02",
      "1;81766;1;86398250;2016-05-01",
      // The last event, on May 20 at 1 s: the border is May 13 at 1 s.
      "2;NA;1;0;2016-05-20",
      "2;NA;2;1000;2016-05-20",
      // Straddles by a second: one event before the border, too short for training.
      "3;NA;1;500;2016-05-13",
      "3;NA;2;1500;2016-05-13",
      // Equal times in the order of the items as numbers; starts at the border.
      "4;NA;2;1000;2016-05-13",
      "4;NA;1;1000;2016-05-13",
    ],
  });
  const { train, test } = await follow("diginetica", path, zero);
  expect(train).toEqual(["1: 1@86398.25 2@86399.5", ...[0, 1, 2, 3, 4].map((i) => `${900 + i}: 1@${i} 2@${i + 5}`)]);
  expect(test).toEqual([`2: 1@${19 * DAY} 2@${19 * DAY + 1}`, `4: 1@${12 * DAY + 1} 2@${12 * DAY + 1}`]);
});

test("rees46: two months, views alone make the gaps, through a change of clocks", async () => {
  const zero = Date.UTC(2019, 9, 27) / 1000;
  const header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session";
  const at = (seconds: number) => new Date((zero + seconds) * 1000).toISOString().replace("T", " ").slice(0, 19);
  const row = (user: number, item: number, seconds: number, type = "view") =>
    `${at(seconds)} UTC,${type},${item},2053013555631882655,electronics.smartphone,"acme, inc",1081.98,${user},d0d0-${user}`;
  const border = Date.UTC(2019, 10, 30) / 1000 - zero;
  const path = raw("rees46", {
    "2019-Oct.csv": [
      header,
      ...frequent(row),
      // From 0:30 to 1:30 UTC an hour passes, though clocks in Berlin say 2:30 both times; exactly an hour does not cut.
      ...[row(1, 1, 1800), row(1, 2, 5400)],
      // 1.5 h between views; the purchase between them does not count.
      ...[row(2, 1, 0), row(2, 2, 1), row(2, 2, 2700, "purchase"), row(2, 2, 5400), row(2, 1, 5401)],
    ],
    "2019-Nov.csv": [
      header,
      // Straddles the border, November 30 at 0:00; only the events before are used.
      ...[row(3, 1, border - 2), row(3, 2, border - 1), row(3, 1, border)],
      ...[row(4, 1, border), row(4, 2, border + 1)],
    ],
  });
  // Users 1, 2 (twice), 3, 4, 900 … are the sessions 1, 2, 3, 4, 5, 6 …
  const { train, test } = await follow("rees46", path, zero);
  expect(train).toEqual([
    "1: 1@1800 2@5400",
    "2: 1@0 2@1",
    "3: 2@5400 1@5401",
    `4: 1@${border - 2} 2@${border - 1}`,
    ...[0, 1, 2, 3, 4].map((i) => `${6 + i}: 1@${i} 2@${i + 5}`),
  ]);
  expect(test).toEqual([`5: 1@${border} 2@${border + 1}`]);
});

test("coveo: details, gaps of all events inside a session, page views without an item", async () => {
  const zero = 1_555_000_000;
  const header = "session_id_hash,event_type,product_action,product_skus_hash,server_timestamp_epoch_ms,hashed_url";
  const row = (session: string, item: string, seconds: number, action = "detail") =>
    `${session},${action === "" ? "pageview" : "event_product"},${action},${item},${Math.round((zero + seconds) * 1000)},url`;
  const path = raw("coveo", {
    "release_10_23_2020.csv": [
      header,
      ...frequent((session, item, seconds) => row(`s${session}`, `i${item}`, seconds)),
      // 1.5 h between details with a page view between them; then an hour and a millisecond.
      ...[row("a", "i1", 0), row("a", "", 2700, ""), row("a", "i2", 5400)],
      ...[row("a", "i1", 9000.001), row("a", "i2", 9001)],
      // Of an item that was put into the cart only, nothing is known.
      ...[row("b", "i1", 10), row("b", "i3", 11, "add"), row("b", "i2", 12)],
      // The last event of all types would be the purchase; it is gone when the end is looked for: the last detail, at
      // 200001, so the border is 113601.
      ...[row("c", "i1", 113_600), row("c", "i2", 113_601), row("d", "i2", 113_601), row("d", "i1", 113_602)],
      ...[row("e", "i1", 200_000), row("e", "i2", 200_001), row("e", "i1", 203_000, "purchase")],
    ],
  });
  // Sessions by id: a → 1 and 2, b → 3, c → 4, d → 5, e → 6, s900 … → 7 … Of c one event is before the border: too short.
  const { train, test } = await follow("coveo", path, zero);
  expect(train).toEqual([
    "1: i1@0 i2@5400",
    "2: i1@9000.001 i2@9001",
    "3: i1@10 i2@12",
    ...[0, 1, 2, 3, 4].map((i) => `${7 + i}: i1@${i} i2@${i + 5}`),
  ]);
  expect(test).toEqual(["5: i2@113601 i1@113602", "6: i1@200000 i2@200001"]);
});

describe("bad raw files", () => {
  const views = (...lines: string[]) => ["timestamp,visitorid,event,itemid,transactionid", "1,1,view,1,", ...lines];
  test.each<[string, string[], string]>([
    ["no-item", views("2,1,addtocart,,", "2,1,view,,"), "Expected row 3 of"],
    ["no-time", views("soon,1,view,5,"), "to have a time but it has none"],
    ["no-session", views("1,,view,5,"), "Expected row 2 of"],
    ["short-row", views("1,1,view"), "Expected line 3 of"],
    ["long-row", views("1,1,view,1,,1"), "Expected line 3 of"],
    ["open-quote", views('1,1,"view,1,'), "Expected line 3 of"],
    [
      "no-column",
      ["timestamp,visitorid,event", "1,1,view"],
      "Expected the columns timestamp, visitorid, event, itemid in",
    ],
    ["no-rows", ["timestamp,visitorid,event,itemid,transactionid"], "Expected at least one event"],
  ])("%s", async (name, lines, message) => {
    const path = raw(name, { "events.csv": lines });
    await expectFailure(() => prepare(path, { recipe: "retailrocket" }), "ERR_DATA", message);
  });

  test("a header in another order, with a byte order mark and CRLF, is understood; files that differ are not", async () => {
    const path = raw("reordered", {
      "events.csv": Buffer.from("\ufeffevent,itemid,visitorid,timestamp\r\nview,5,1,1000\r\n"),
    });
    const options = { recipe: "retailrocket" } as const;
    await expectFailure(() => prepare(path, options), "ERR_DATA", "to be left after the step short sessions");
    const header = "event_time,event_type,product_id,user_id";
    const mixed = raw("mixed", { "2019-Oct.csv": [header], "2019-Nov.csv": [`${header},price`] });
    await expectFailure(() => prepare(mixed, { recipe: "rees46" }), "ERR_DATA", /2019-Nov.csv; found: .*price$/);
  });

  test("a file that is not there", async () => {
    await expectFailure(
      () => prepare(folder.path("nowhere"), { recipe: "rsc15" }),
      "ERR_FILE",
      "there is no such file",
    );
    await expectFailure(() => prepare(raw("empty", {}), { recipe: "coveo" }), "ERR_FILE", "Expected release_10_23_2020.csv"); // prettier-ignore
  });
});
