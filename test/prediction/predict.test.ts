import type { Gru4Rec } from "../../lib";
import { train } from "../../lib";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure } from "../support/errors";

const ITEMS = 30;

let model: Gru4Rec;
beforeAll(async () => {
  model = await train(circleClicks(), { ...SMALL, loss: "bpr" });
});
afterAll(() => model.dispose());

describe("predict", () => {
  test("gives a row a session and a column an item, all or those asked for", async () => {
    const sessions = [[1, 2], [], [7, 999]];
    const all = await model.predict(sessions);
    expect(all).toHaveLength(3 * ITEMS);
    const ids = model.itemIds();
    const items = [5, 1, 5];
    const some = await model.predict(sessions, { items });
    expect([...some]).toEqual(sessions.flatMap((_, s) => items.map((id) => all[s * ITEMS + ids.indexOf(id)]))); // prettier-ignore
    expect(await model.predict([[7]])).toEqual(all.slice(2 * ITEMS));
    expect(await model.predict([["x"]])).toEqual(all.slice(ITEMS, 2 * ITEMS)); // the zero state
    expect(await model.predict(sessions, { items: [] })).toHaveLength(0);
  });

  test("takes the list of a single session, too, and gives its row", async () => {
    expect(await model.predict([1, 2])).toEqual(await model.predict([[1, 2]]));
    expect(await model.predict(Int32Array.of(1, 2))).toEqual(await model.predict([[1, 2]]));
    expect(await model.predict(new Int32Array())).toEqual(await model.predict([[]]));
    expect(await model.predict([])).toHaveLength(0); // no session
  });

  test("softmax runs over the items asked for", async () => {
    const softmax = await train(circleClicks(), { ...SMALL, loss: "cross-entropy" });
    const sum = (scores: Float32Array) => scores.reduce((total, score) => total + score, 0);
    expect(sum(await softmax.predict([[1]]))).toBeCloseTo(1, 5);
    expect(sum(await softmax.predict([[1]], { items: [4, 7] }))).toBeCloseTo(1, 5);
    softmax.dispose();
  });

  test.each<[unknown, unknown, string]>([
    [5, {}, "Expected sessions to be an array of sessions or of item ids but received 5 (number)"],
    [[1, null], {}, "Expected session[1] to be a safe integer, a 64-bit bigint or non-empty text but received null"],
    [[[1], 5], {}, "Expected sessions[1] to be an array of item ids but received 5 (number)"],
    [[[1], [NaN]], {}, "Expected sessions[1][0] to be a safe integer, a 64-bit bigint or non-empty text but received NaN (number)"], // prettier-ignore
    [[[1]], { items: [99] }, "Expected items[0] to be an item of the model but received 99 (number)"],
    [[[1]], { items: [[1]] }, "Expected items[0] to be a safe integer"],
    [[[1]], { items: null }, "Expected items to be an array of item ids but received null"],
    [[[1]], 5, "Expected options to be an object but received 5 (number)"],
  ])("refuses %j with %j", async (sessions, options, message) => {
    await expectFailure(() => model.predict(sessions as number[], options as object), "ERR_ARGUMENT", message);
  });

  test("refuses a call that was aborted before its start", async () => {
    await expectFailure(() => model.predict([[1]], { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
  });
});

test("more scores than there is memory for are refused, and the process lives on", async () => {
  const items = new Float64Array(1_000_000).fill(1);
  const sessions = Array.from({ length: 20_000 }, () => [1]);
  await expectFailure(
    () => model.predict(sessions, { items }),
    "ERR_OUT_OF_MEMORY",
    "Expected memory for 20000000000 scores",
  );
  expect(await model.predict([[1]], { items: [1] })).toHaveLength(1);
});
