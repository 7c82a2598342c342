import {
  Gru4Rec,
  prepare,
  readEvents,
  splitByTime,
  train,
  type Event,
  type EventColumns,
  type EventLog,
  type ItemId,
  type Prepared,
  type Recommendations,
} from "gru4rec";
import type { Same } from "./same.js";

async function* clicks(): AsyncGenerator<Event<number>> {
  yield await Promise.resolve({ session: 1, item: 7, time: 1 });
}

export async function idKinds(): Promise<void> {
  const texts = await train({ sessionId: [1], itemId: ["a"], time: [1] });
  true satisfies Same<typeof texts, Gru4Rec<string>>;
  const numbers = await train({ sessionId: ["x"], itemId: [1, 2], time: [new Date(), new Date()] });
  true satisfies Same<typeof numbers, Gru4Rec<number>>;
  const typed = await train({ sessionId: new Int32Array(1), itemId: new Float64Array(1), time: new Float64Array(1) });
  true satisfies Same<typeof typed, Gru4Rec<number>>;
  const bigints = await train({ sessionId: [1n], itemId: new BigInt64Array(1), time: [1n] });
  true satisfies Same<typeof bigints, Gru4Rec<bigint>>;

  const ofArray = await train([{ session: 1, item: "a", time: "2024-05-01T10:00:00Z" }]);
  true satisfies Same<typeof ofArray, Gru4Rec<string>>;
  const ofGenerator = await train(clicks());
  true satisfies Same<typeof ofGenerator, Gru4Rec<number>>;

  // A file's ids are known when it is read, unless the caller knows them.
  const ofFile = await train("clicks.tsv");
  true satisfies Same<typeof ofFile, Gru4Rec>;
  const ofKnownFile = await train<string>("clicks.tsv");
  true satisfies Same<typeof ofKnownFile, Gru4Rec<string>>;
  const ofStream = await train(process.stdin);
  true satisfies Same<typeof ofStream, Gru4Rec>;
  true satisfies Same<ReturnType<typeof ofFile.itemIds>, ItemId[]>;

  // Logs keep the kind.
  const log = await readEvents({ sessionId: [1], itemId: ["a"], time: [1] });
  true satisfies Same<typeof log, EventLog<string>>;
  const { train: earlier, test: later } = await splitByTime(log, 86_400);
  true satisfies Same<typeof later, EventLog<string>>;
  const prepared = await prepare(log, { minSessionLength: 2, test: { lastTime: 86_400 } });
  true satisfies Same<typeof prepared, Prepared<string>>;
  true satisfies Same<typeof prepared.test, EventLog<string> | undefined>;
  const ofLog = await train(earlier);
  true satisfies Same<typeof ofLog, Gru4Rec<string>>;

  const loaded = await Gru4Rec.load<string>("shop.safetensors");
  true satisfies Same<typeof loaded, Gru4Rec<string>>;
  const unknownKind = await Gru4Rec.load("shop.safetensors");
  true satisfies Same<typeof unknownKind, Gru4Rec>;

  // A model of one kind gives it back …
  const { items, scores, fallback } = await texts.recommend(["a"]);
  true satisfies Same<typeof items, string[]>;
  true satisfies Same<typeof scores, number[]>;
  true satisfies Same<typeof fallback, boolean>;
  const lists = await texts.recommend([["a"], ["b", "c"]], { exclude: [["a"], []] });
  true satisfies Same<typeof lists, Recommendations<string>[]>;
  for await (const list of texts.recommendAll([["a"], { session: ["b"], exclude: ["c"] }])) {
    true satisfies Same<typeof list, Recommendations<string>>;
  }
  const ofBigints = await bigints.recommend(new BigInt64Array(2), { items: [1n, 2n] });
  true satisfies Same<typeof ofBigints.items, bigint[]>;
  true satisfies Same<ReturnType<typeof numbers.itemIds>, number[]>;
  const scored = await numbers.predict([1, 2], { items: new Float64Array(1) });
  const matrix: Float32Array = scored;
  void matrix;

  // … and takes no other.
  // @ts-expect-error -- numbers
  void texts.recommend([1, 2]);
  // @ts-expect-error -- numbers
  void texts.recommend(["a"], { exclude: [1] });
  // @ts-expect-error -- numbers
  void texts.recommend(["a"], { items: new Float64Array(1) });
  // @ts-expect-error -- numbers in the second session
  void texts.recommend([["a"], [1]]);
  // @ts-expect-error -- numbers are no bigints
  void bigints.recommend([1]);
  // @ts-expect-error -- text
  void numbers.predict(["a"]);
  // @ts-expect-error -- text
  texts.recommendAll([[1]]);
  // @ts-expect-error -- bigints
  void texts.retrain({ sessionId: [1], itemId: [1n], time: [1] });
  // @ts-expect-error -- a list of items
  void texts.recommend("abc");
  // @ts-expect-error -- a list of sessions
  texts.recommendAll(["a", "b"]);
  // @ts-expect-error -- a Date is no id
  void train({ sessionId: [1], itemId: [new Date()], time: [1] });
  // @ts-expect-error -- a column is missing
  void train({ sessionId: [1], itemId: ["a"] });
  // @ts-expect-error -- item, not itemId, in an event
  void train([{ session: 1, itemId: "a", time: 1 }]);
  // @ts-expect-error -- what comes is not to be changed for another kind
  void ({ sessionId: [1], itemId: [1], time: [1] } satisfies EventColumns<string>);

  // A model of any kind takes those of one, where ids only come out of it.
  (await texts.recommend(["a"])) satisfies Recommendations;
}
