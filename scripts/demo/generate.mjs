/**
 * Makes the click log of the demo: a furniture shop whose visitors have reasons for what they click next.
 *
 * An item has a category and a style; both, and the items themselves, are popular to very different degrees. A visitor
 *   - compares: goes back to the item before the last one, or looks at the last one again (short-range order);
 *   - follows an item to one of its four companions. Which one depends on the style that the visit began with, however
 *     long ago (long-range order);
 *   - looks around in the category at hand or a related one, mostly among items of the style that the visit began with,
 *     and comes back to the category that it began with.
 * Session lengths are geometric. Sessions start all over 30 days, most of them in the evening.
 */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { ExplainedError } from "../support/run.mjs";
import { makeRandom, makeSampler } from "./random.mjs";

const categories =
  "sofas armchairs beds mattresses wardrobes dressers nightstands desks chairs tables benches stools bookcases shelves " +
  "cabinets sideboards mirrors rugs curtains blinds cushions blankets lamps bulbs candles vases pots planters clocks " +
  "frames baskets boxes hooks racks pans knives plates glasses mugs towels";
const styles =
  "nordic rustic modern vintage industrial coastal classic minimal bohemian baroque alpine colonial retro urban " +
  "japanese moroccan shaker tropical gothic pastel";

const days = 30;
const secondsPerDay = 86_400;
/** 2026-01-01 00:00:00 UTC */
const firstSecond = 1_767_225_600;
const meanPause = 75;
const companions = 4;

/** What the next click is, as probabilities. The rest looks around in the category at hand. */
const habits = { repeat: 0.05, back: 0.1, companion: 0.2, home: 0.1, related: 0.15 };
/** Looking around, this share of the clicks keeps to the style of the first one. */
const loyalty = 0.75;

/** Weights of a popularity skew: the item of rank r has 1 / (r + flat)^slope. */
const skew = (count, flat, slope) => Array.from({ length: count }, (_, rank) => (rank + flat) ** -slope);

const pick = (list, random) => list[Math.floor(random() * list.length)];

/** The shop: items with category, style, companions; samplers by popularity over everything and over each part. */
function makeShop(itemCount, random) {
  const categoryNames = categories.split(" ");
  const styleNames = styles.split(" ");
  const drawCategory = makeSampler([...categoryNames.keys()], skew(categoryNames.length, 8, 1), random);
  const drawStyle = makeSampler([...styleNames.keys()], skew(styleNames.length, 5, 0.8), random);
  // Every category has items of every style before popularity decides about the others.
  const pairs = categoryNames.flatMap((_, category) => [...styleNames.keys()].map((style) => ({ category, style })));
  if (itemCount < pairs.length)
    throw new ExplainedError(
      `Expected at least ${pairs.length} items, one of each category and style, but received ${itemCount}`,
    );
  while (pairs.length < itemCount) pairs.push({ category: drawCategory(), style: drawStyle() });
  const weights = skew(itemCount, 30, 0.9);
  const items = pairs.map(({ category, style }, index) => ({
    index,
    id: `${styleNames[style]}-${categoryNames[category]}-${index}`,
    category,
    style,
    // A rank of its own: the first items are not the most popular ones.
    weight: pick(weights, random),
  }));

  const sampler = (list) =>
    list.length > 0 &&
    makeSampler(
      list,
      list.map(({ weight }) => weight),
      random,
    );
  const inCategory = categoryNames.map((_, category) => items.filter((item) => item.category === category));
  const drawFrom = inCategory.map(sampler);
  const drawStyled = inCategory.map((list) =>
    styleNames.map((_, style) => sampler(list.filter((item) => item.style === style))),
  );
  const related = categoryNames.map(() => Array.from({ length: 3 }, () => pick([...categoryNames.keys()], random)));
  for (const item of items) {
    item.companions = Array.from({ length: companions }, () =>
      drawFrom[random() < 0.7 ? item.category : pick(related[item.category], random)](),
    );
  }
  return { ids: items.map(({ id }) => id), drawFirst: sampler(items), drawFrom, drawStyled, related };
}

/** The clicks of one visit, oldest first. */
function makeSession(shop, meanLength, random) {
  const first = shop.drawFirst();
  const clicks = [first];
  const lookAround = (category) =>
    (random() < loyalty && shop.drawStyled[category][first.style]
      ? shop.drawStyled[category][first.style]
      : shop.drawFrom[category])();
  while (random() < 1 - 1 / meanLength) {
    const last = clicks.at(-1);
    let choice = random();
    if ((choice -= habits.repeat) < 0) clicks.push(last);
    else if ((choice -= habits.back) < 0) clicks.push(clicks.at(-2) ?? last);
    else if ((choice -= habits.companion) < 0) {
      clicks.push(last.companions[random() < 0.8 ? first.style % companions : Math.floor(random() * companions)]);
    } else if ((choice -= habits.home) < 0) clicks.push(lookAround(first.category));
    else if ((choice -= habits.related) < 0) clicks.push(lookAround(pick(shop.related[last.category], random)));
    else clicks.push(lookAround(last.category));
  }
  return clicks;
}

/** A moment of the 30 days, in seconds: two of three visits come between 17 and 23 o'clock. */
function makeStart(random) {
  const hour = random() < 2 / 3 ? 17 + 6 * random() : 24 * random();
  return firstSecond + Math.floor(random() * days) * secondsPerDay + Math.floor(hour * 3600);
}

/** Numbers that come one by one, 4 bytes each. */
class Int32List {
  #values = new Int32Array(1024);
  length = 0;

  push(value) {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  values() {
    return this.#values.subarray(0, this.length);
  }
}

/** The positions of `keys` (from 0 on) in ascending order of the keys; equal ones stay in their order. */
function sortedPositions(keys) {
  const starts = new Int32Array(keys.reduce((most, key) => Math.max(most, key), 0) + 2);
  for (const key of keys) ++starts[key + 1];
  for (let key = 1; key < starts.length; ++key) starts[key] += starts[key - 1];
  const positions = new Int32Array(keys.length);
  keys.forEach((key, position) => (positions[starts[key]++] = position));
  return positions;
}

/** The clicks of the visits, in the order in which the visits were made: item, session (from 1), seconds since the first day. */
function makeClicks(shop, { events, meanLength }, random) {
  const [items, sessions, seconds] = [new Int32List(), new Int32List(), new Int32List()];
  for (let session = 1; items.length < events; ++session) {
    let time = makeStart(random) - firstSecond;
    for (const { index } of makeSession(shop, meanLength, random)) {
      items.push(index);
      sessions.push(session);
      seconds.push(time);
      time += 1 + Math.floor(-Math.log(1 - random()) * meanPause);
    }
  }
  return { items: items.values(), sessions: sessions.values(), seconds: seconds.values() };
}

const ROWS_A_WRITE = 20_000;

/**
 * Writes a click log with the columns SessionId, ItemId and Time (seconds).
 * @param {string} path
 * @param {object} [options]
 * @param {"time" | "none"} [options.order] of the rows: by time, or in no order at all
 * @returns {Promise<{ events: number, sessions: number }>}
 */
export async function generate(
  path,
  { seed = 1, events = 200_000, items = 5_000, meanLength = 5, order = "time" } = {},
) {
  const random = makeRandom(seed);
  const shop = makeShop(items, random);
  const clicks = makeClicks(shop, { events, meanLength }, random);
  const count = clicks.items.length;
  const keys = order === "time" ? clicks.seconds : Int32Array.from({ length: count }, () => random() * count);
  const positions = sortedPositions(keys);
  await pipeline(function* () {
    yield "SessionId\tItemId\tTime\n";
    for (let first = 0; first < count; first += ROWS_A_WRITE) {
      let rows = "";
      for (const click of positions.subarray(first, first + ROWS_A_WRITE))
        rows += `${clicks.sessions[click]}\t${shop.ids[clicks.items[click]]}\t${firstSecond + clicks.seconds[click]}\n`;
      yield rows;
    }
  }, createWriteStream(path));
  return { events: count, sessions: clicks.sessions[count - 1] };
}
