import fc from "fast-check";
import { readFileSync, writeFileSync } from "node:fs";
import { prepare, readEvents, train, writeLog, type EventLog, type Event } from "../../lib";
import { writeSafetensors, type WritableTensor } from "../../lib/files";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();
let files = 0;
const newPath = () => folder.path(`log-${++files}.g4r`);

const events: readonly Event[] = [
  { session: 7, item: "tea", time: 20 },
  { session: 3, item: "milk", time: 5 },
  { session: 7, item: "tea", time: 10 },
  { session: 7, item: "cup", time: 2.5 },
];

test("a log comes back as it was written, whatever its ids are", async () => {
  const idsOf = { number: fc.maxSafeInteger(), bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) };
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  await fc.assert(
    fc.asyncProperty(
      fc
        .tuple(fc.constantFrom(idsOf.number, idsOf.bigint), fc.constantFrom(idsOf.number, idsOf.bigint, text))
        .chain(([session, item]) =>
          fc.array(fc.record<Event>({ session, item, time: fc.double({ min: 0, max: 1e12, noNaN: true }) }), {
            minLength: 1,
          }),
        ),
      async (some) => {
        const log = await readEvents(some, { timeUnit: "s" });
        const path = newPath();
        await writeLog(log, path);
        expect(await readEvents(path)).toEqual(log);
      },
    ),
    { numRuns: 40 },
  );
});

test("a list of paths holds a prepared log by itself, or none", async () => {
  const [path, other] = [newPath(), newPath()];
  for (const each of [path, other]) await writeLog(await readEvents(events), each);
  expect(await readEvents({ paths: [path] })).toEqual(await readEvents(path));
  expect(await readEvents({ paths: [folder.path(`log-${files}.g?r`)] })).toEqual(await readEvents(other)); // a pattern
  const csv = folder.write("clicks.csv", "SessionId,ItemId,Time\n1,tea,2\n");
  for (const paths of [[csv, path], [path, csv], [path, other]])
    await expectFailure(() => readEvents({ paths }), "ERR_ARGUMENT", /^Expected a prepared log \(\.g4r\), .* by itself but received .*\.g4r among 2 files$/); // prettier-ignore
  await expectFailure(() => prepare({ paths: [path] }, { eventTypes: ["view"] }), "ERR_ARGUMENT", "eventTypes");
  await expectFailure(() => readEvents({ paths: [newPath()] }), "ERR_FILE", "there is no such file");
});

test("sessions that have text for ids are numbered in the order of their ids", async () => {
  const log = await readEvents(events.map((event) => ({ ...event, session: `s${String(event.session)}` })));
  const path = newPath();
  await writeLog(log, path);
  const { sessionKind, sessionIds, ...rest } = await readEvents(path);
  expect(sessionKind).toBe("number");
  expect(sessionIds).toEqual(Float64Array.of(0, 1));
  expect({ sessionKind: "string", sessionIds: log.sessionIds, ...rest }).toEqual(log);
});

test("a model trained on the file is the one trained on the log", async () => {
  const clicks = Array.from({ length: 200 }, (_, i) => ({ session: i % 40, item: (i * 7) % 11, time: i }));
  const path = newPath();
  await writeLog(await readEvents(clicks), path);
  const options = { layers: [4], nEpochs: 1, nSample: 8, batchSize: 8 };
  const [fromLog, fromFile] = [await train(clicks, options), await train(path, options)];
  expect(fromFile.history[0]!.loss).toBe(fromLog.history[0]!.loss);
  fromLog.dispose();
  fromFile.dispose();
});

describe("refuses", () => {
  const write = async () => {
    const path = newPath();
    await writeLog(await readEvents(events), path);
    return path;
  };

  test("to write what does not end with .g4r", async () => {
    const log = await readEvents(events);
    await expectFailure(() => writeLog(log, folder.path("log.tsv")), "ERR_ARGUMENT", "a path that ends with .g4r");
    await expectFailure(() => writeLog(log, folder.path("no/log.g4r")), "ERR_FILE", "there is no such directory");
  });

  test("what is not there", async () => {
    await expectFailure(() => readEvents(folder.path("no.g4r")), "ERR_FILE", "there is no such file");
  });

  test("a file that is cut short or damaged", async () => {
    const path = await write();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, -3));
    await expectFailure(() => readEvents(path), "ERR_DATA", "to be a prepared click log but it should have");
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    await expectFailure(() => readEvents(path), "ERR_DATA", "its content is damaged");
    writeFileSync(path, "SessionId,ItemId,Time\n1,2,3\n");
    await expectFailure(() => readEvents(path), "ERR_DATA", "to be a prepared click log but its header claims");
  });

  const log = { offsets: [0, 2], items: [0, 1], times: [1, 2] };
  const refused: [string, Partial<typeof log>, Readonly<Record<string, string>>, string][] = [
    ["offsets that do not end with the events", { offsets: [0, 1] }, {}, "the offsets of its sessions do not fit"],
    ["a session without events", { offsets: [0, 0] }, {}, "the offsets of its sessions do not fit"],
    ["an item that has no id", { items: [0, 2] }, {}, "it has events of items that it does not name"],
    ["a negative item", { items: [0, -1] }, {}, "it has events of items that it does not name"],
    ["a time that is none", { times: [1, NaN] }, {}, "it has times that are none"],
    ["a negative time", { times: [-1, 2] }, {}, "it has times that are none"],
    ["another format", {}, { format: "gru4rec" }, "its format is gru4rec where gru4rec log belongs"],
    ["a later version", {}, { version: "2" }, "its version is 2 where this package reads 1"],
    ["ids of an unknown kind", {}, { itemKind: "uuid" }, "its ids are uuid where number, bigint, string is known"],
    ["a number of items that is none", {}, { itemCount: "x" }, "it does not say how many items it has"],
    ["another number of items", {}, { itemCount: "3" }, "tensor vocabulary.ids is I64 [2] where I64 [3] belongs"],
  ];
  test.each(refused)("%s", async (_, change, metadata, message) => {
    const { offsets, items, times } = { ...log, ...change };
    const tensor = (name: string, dtype: WritableTensor["dtype"], values: number[]): WritableTensor => ({
      name,
      dtype,
      shape: [values.length],
      read: (first, into) => {
        for (let i = 0; i < into.length; ++i)
          if (into instanceof BigInt64Array) into[i] = BigInt(values[first + i]!);
          else into[i] = values[first + i]!;
      },
    });
    const path = newPath();
    const stated = { format: "gru4rec log", version: "1", itemKind: "number", sessionKind: "number", itemCount: "2" };
    await writeSafetensors(path, { ...stated, ...metadata }, [
      tensor("vocabulary.ids", "I64", [10, 20]),
      tensor("session_ids", "I64", [1]),
      tensor("times", "F64", times),
      tensor("start_times", "F64", [1]),
      tensor("end_times", "F64", [2]),
      tensor("offsets", "I32", offsets),
      tensor("items", "I32", items),
    ]);
    await expectFailure(() => readEvents(path), "ERR_DATA", message);
  });
});

test("the kind of the log is in the type", async () => {
  const path = newPath();
  const log: EventLog = await readEvents(events);
  await writeLog(log, path);
  expect((await readEvents(path)).itemIds).toEqual(["tea", "milk", "cup"]);
});
