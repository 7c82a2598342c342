import { prepareEvaluation, prepareTraining, readEvents } from "../../lib/data";
import { evaluateBaselines } from "../../lib/evaluation";
import { randomIntegers } from "../support/random";

/** Sessions of single-letter items, one text each. */
function columnsOf(sessions: readonly string[]): { sessionId: number[]; itemId: string[]; time: number[] } {
  const events = sessions.flatMap((items, s) => Array.from(items).map((item, time) => ({ s, item, time })));
  return {
    sessionId: events.map(({ s }) => s),
    itemId: events.map(({ item }) => item),
    time: events.map(({ time }) => time),
  };
}

async function baselinesOf(train: readonly string[], test: readonly string[], lengths: readonly number[]) {
  const training = prepareTraining(await readEvents(columnsOf(train)));
  return evaluateBaselines(
    training,
    prepareEvaluation(await readEvents(columnsOf(test)), training.vocabulary),
    lengths,
  );
}

test("successors by count, then support, then lower index; a target that never followed is a miss", async () => {
  // Index order a b c d e. After a: b twice, then c, d and a once each; support a 8, b 2, c 3, d 3, e 1.
  const train = ["ab", "ab", "ac", "ad", "aa", "cd", "dc", "ea"];
  const expectRanks = async (test: string, rank: number) => {
    const { lastItem } = await baselinesOf(train, [test], [1, 2, 3, 4, 5]);
    for (const k of [1, 2, 3, 4, 5]) {
      expect(lastItem.recall[k]).toBe(rank <= k ? 1 : 0);
      expect(lastItem.mrr[k]).toBe(rank <= k ? 1 / rank : 0);
    }
  };
  await expectRanks("ab", 1);
  await expectRanks("aa", 2);
  await expectRanks("ac", 3);
  await expectRanks("ad", 4);
  await expectRanks("ae", Infinity);
  await expectRanks("ba", Infinity);
});

test("most popular: support, then lower index", async () => {
  const { mostPopular } = await baselinesOf(["abc", "bc", "dd"], ["ad"], [1, 2, 3, 4]);
  expect(mostPopular.recall).toEqual({ 1: 0, 2: 0, 3: 1, 4: 1 }); // b, c, d, a
  expect(mostPopular.mrr[3]).toBe(1 / 3);
});

test("random logs: the same as counting and sorting for every target", async () => {
  const random = randomIntegers(2);
  const text = () => String.fromCharCode(...Array.from({ length: 2 + random(6) }, () => 97 + random(9)));
  for (let round = 0; round < 20; ++round) {
    const train = ["abcdefghi", ...Array.from({ length: 30 }, text)];
    const test = Array.from({ length: 10 }, text);
    const items = Array.from("abcdefghi");
    const support = (item: string) => train.join("").split(item).length - 1;
    const followed = (from: string, to: string) =>
      train.reduce(
        (sum, session) => sum + Array.from(session).filter((c, i) => c === from && session[i + 1] === to).length,
        0,
      );
    const byPopularity = Array.from(items).sort((a, b) => support(b) - support(a) || (a < b ? -1 : 1));

    const pairs = test.flatMap((session) =>
      Array.from(session)
        .slice(1)
        .map((to, i) => [session[i]!, to] as const),
    );
    const popularHits = pairs.filter(([, to]) => byPopularity.indexOf(to) < 3).length;
    let markovHits = 0;
    for (const [from, to] of pairs) {
      const list = byPopularity.filter((item) => followed(from, item) > 0);
      list.sort((a, b) => followed(from, b) - followed(from, a));
      if (list.slice(0, 3).includes(to)) ++markovHits;
    }
    const { mostPopular, lastItem } = await baselinesOf(train, test, [3]);
    expect(mostPopular.recall[3]).toBe(popularHits / pairs.length);
    expect(lastItem.recall[3]).toBe(markovHits / pairs.length);
  }
});
