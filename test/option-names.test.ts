import {
  compare,
  estimateMemory,
  inspect,
  prepare,
  prepareWindows,
  readEvents,
  splitByTime,
  splitLastSessions,
  train,
  type Gru4Rec,
} from "../lib";
import { circleClicks, SMALL } from "./support/clicks";
import { expectFailure } from "./support/errors";

const data = circleClicks();
let model: Gru4Rec;
beforeAll(async () => {
  model = await train(data, { ...SMALL, nEpochs: 1 });
});
afterAll(() => model.dispose());

/** Options as somebody writes them who has no compiler. */
type Options = Record<string, unknown>;

const VERBS: Readonly<Record<string, (options: never) => unknown>> = {
  recommend: (options) => model.recommend([1, 2], options),
  "recommend of several": (options) => model.recommend([[1], [2]], options),
  recommendAll: (options) => model.recommendAll([[1]], options).next(),
  predict: (options) => model.predict([1, 2], options),
  predictor: (options) => model.predictor(options),
  "predictor.next": (options) => model.predictor({ batchSize: 1 }).next([1], [1], undefined, options),
  evaluate: (options) => model.evaluate(data, options),
  compare: (options) => compare(model, data, data, options),
  readEvents: (options) => readEvents(data, options),
  inspect: (options) => inspect(data, options),
  splitByTime: (options) => splitByTime(data, 500, options),
  splitLastSessions: (options) => splitLastSessions(data, 5, options),
  prepare: (options) => prepare(data, options),
  prepareWindows: (options) => prepareWindows(data, { windows: { count: 2 }, ...(options as Options) }),
  estimateMemory: (options) => estimateMemory(SMALL, { items: 10, ...(options as Options) }),
};

test.each<[verb: string, misspelt: string, meant: string | undefined]>([
  ["recommend", "excludeseen", "excludeSeen"],
  ["recommend", "topK", undefined],
  ["recommend", "batchSize", undefined],
  ["recommend of several", "item", "items"],
  ["recommendAll", "batch_size", "batchSize"],
  ["predict", "itmes", "items"],
  ["predict", "k", undefined],
  ["predictor", "batchsize", "batchSize"],
  ["predictor.next", "singal", "signal"],
  ["evaluate", "tie", "ties"],
  ["evaluate", "colums", "columns"],
  ["compare", "skipBadRow", "skipBadRows"],
  ["readEvents", "timeunit", "timeUnit"],
  ["readEvents", "layers", undefined],
  ["inspect", "memory_limit", "memoryLimit"],
  ["splitByTime", "onnote", "onNote"],
  ["splitLastSessions", "fromat", "format"],
  ["prepare", "minItemsSupport", "minItemSupport"],
  ["prepare", "window", undefined],
  ["prepareWindows", "sesionGap", "sessionGap"],
  ["estimateMemory", "devise", "device"],
])("%s refuses the option %s", async (verb, misspelt, meant) => {
  const call = VERBS[verb]! as (options: Options) => unknown;
  const message = `Unknown option ${misspelt}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
  await expectFailure(() => call({ [misspelt]: 1 }), "ERR_ARGUMENT", new RegExp(`^${message.replace("?", "\\?")}$`));
  await call({ [misspelt]: undefined }); // left out
});

test("every verb of this table has a misspelt option of its own", async () => {
  for (const call of Object.values(VERBS))
    await expectFailure(() => (call as (options: Options) => unknown)({ nOption: 1 }), "ERR_ARGUMENT", "nOption");
});

test.each<[string, () => unknown, string]>([
  ["test", () => prepare(data, { test: { lastTimes: 5 } as never }), "Unknown option lastTimes; did you mean lastTime? (test)"],
  ["validation", () => prepare(data, { validation: { lastTime: 5, stradling: "cut" } as never }), "Unknown option stradling; did you mean straddling? (validation)"],
  ["windows", () => prepareWindows(data, { windows: { counts: 2 } as never }), "Unknown option counts; did you mean count? (windows)"],
  ["validation of a training", () => train(data, { validation: { lastTime: 5, metrics: "recall@5" } as never }), "Unknown option metrics; did you mean metric? (validation)"],
  ["columns", () => readEvents(data, { columns: { sessionID: "x", itemid: "y" } as never }), "Unknown option sessionID; did you mean sessionId? (columns)"],
])("names in %s are checked as well", async (_, call, message) => {
  await expectFailure(call, "ERR_ARGUMENT", message);
}); // prettier-ignore
