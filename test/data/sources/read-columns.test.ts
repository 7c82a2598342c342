import { readEvents, type EventColumns } from "../../../lib/data";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

jest.mock("@duckdb/node-api", () => {
  throw new Error("DuckDB was loaded");
});

const folder = temporaryFolder();
const refuses = (columns: object, message: string) =>
  expectFailure(() => readEvents(columns as EventColumns), "ERR_DATA", message);

test("plain and typed arrays give the same log", async () => {
  const plain = await readEvents({ sessionId: [7, 7, 3], itemId: [30, 10, 30], time: [1.5, 2, 0] });
  const typed = await readEvents({
    sessionId: Int32Array.of(7, 7, 3),
    itemId: Float64Array.of(30, 10, 30),
    time: Float32Array.of(1.5, 2, 0),
  });
  expect(plain).toEqual(typed);
  expect(plain).toEqual({
    itemKind: "number",
    itemIds: Float64Array.of(30, 10),
    sessionKind: "number",
    sessionIds: Float64Array.of(3, 7),
    offsets: Int32Array.of(0, 1, 3),
    items: Int32Array.of(0, 0, 1),
    times: Float64Array.of(0, 1.5, 2),
    startTimes: Float64Array.of(0, 1.5),
    endTimes: Float64Array.of(0, 2),
  });
});

test("ids keep their kind", async () => {
  const log = await readEvents({ sessionId: BigInt64Array.of(1n, 1n), itemId: ["1", "02"], time: [0, 0] });
  expect(log.sessionIds).toEqual(BigInt64Array.of(1n));
  expect(log.itemIds).toEqual(["1", "02"]);
});

test("zero has one form", async () => {
  const log = await readEvents({ sessionId: [0, -0], itemId: [-0, 0], time: [0, 0] });
  expect(log.itemIds).toEqual(Float64Array.of(0));
  expect(log.sessionIds).toEqual(Float64Array.of(0));
});

test.each<[object, string]>([
  [{ sessionId: [1], itemId: [1] }, "Expected time to be an array or a typed array but received undefined"],
  [{ sessionId: "1", itemId: [1], time: [1] }, "Expected sessionId to be an array or a typed array"],
  [{ sessionId: [1], itemId: [1, 2], time: [1] }, "one length but received sessionId 1, itemId 2, time 1"],
  [{ sessionId: [], itemId: [], time: [] }, "Expected at least one event"],
  [{ sessionId: [1, 1], itemId: [1, 1.5], time: [1, 1] }, "Expected itemId[1] to be a safe integer"],
  [{ sessionId: [1, ""], itemId: [1, 1], time: [1, 1] }, "Expected sessionId[1] to be a safe integer"],
  [{ sessionId: [1, null], itemId: [1, 1], time: [1, 1] }, "but received null"],
  [
    { sessionId: [1, 1], itemId: [1, "a"], time: [1, 1] },
    'Expected itemId[1] to be a number like itemId[0] but received "a"',
  ],
  [
    { sessionId: [1, 1], itemId: [1, 1n], time: [1, 1] },
    "Expected itemId[1] to be a number like itemId[0] but received 1 (bigint)",
  ],
  [
    { sessionId: [1, 1], itemId: [1, 1], time: [1, NaN] },
    "Expected time[1] to be a finite number from 0 on but received NaN",
  ],
  [
    { sessionId: [1, 1], itemId: [1, 1], time: [1, "2"] },
    'Expected time[1] to be a number like time[0] but received "2"',
  ],
])("refuses %j", async (columns, message) => {
  await refuses(columns, message);
});

test("columns need no DuckDB, files do", async () => {
  await expect(readEvents({ sessionId: [1], itemId: [1], time: [1] })).resolves.toBeDefined();
  const file = folder.write("log.tsv", "SessionId\tItemId\tTime\n");
  await expect(readEvents(file)).rejects.toThrow("DuckDB was loaded");
});
