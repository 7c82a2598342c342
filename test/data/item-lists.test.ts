import { indexSetOf, indicesOf, knownIndexSetOf, packSessions, Vocabulary } from "../../lib/data";
import { expectFailure } from "../support/errors";

const vocabulary = new Vocabulary("string", ["b", "a", "7"]);

test("sessions are packed end to end; unknown items are skipped and counted", () => {
  expect(packSessions(vocabulary, [["a", "x", "b"], [], ["x"], Int32Array.of(7, 8, 7)])).toEqual({
    sessions: { items: Int32Array.of(1, 0, 2, 2), offsets: Int32Array.of(0, 2, 2, 2, 4) },
    skipped: Int32Array.of(1, 0, 1, 1),
  });
});

test("lists of items: in their order, as a set, as a set of the known ones", () => {
  expect(indicesOf(vocabulary, ["7", "b", "7"], "items")).toEqual(Int32Array.of(2, 0, 2));
  expect(indexSetOf(vocabulary, ["7", "b", "7"], "items")).toEqual(Int32Array.of(0, 2));
  expect(knownIndexSetOf(vocabulary, ["7", "x", "b"], "exclude")).toEqual(Int32Array.of(0, 2));
});

test.each<[() => unknown, string]>([
  [() => indicesOf(vocabulary, ["b", "x"], "items"), 'Expected items[1] to be an item of the model but received "x"'],
  [() => indicesOf(vocabulary, "b" as never, "items"), "Expected items to be an array of item ids"],
  [() => packSessions(vocabulary, [["a", 1.5]]), "Expected sessions[0][1] to be a safe integer"],
  [() => packSessions(vocabulary, [["a", null as never]]), "but received null"],
  [() => packSessions(vocabulary, [5 as never]), "Expected sessions[0] to be an array of item ids"],
  [() => knownIndexSetOf(vocabulary, [{} as never], "exclude"), "Expected exclude[0] to be a safe integer"],
])("refuses what is no list of items (%#)", async (call, message) => {
  await expectFailure(call, "ERR_ARGUMENT", message);
});
