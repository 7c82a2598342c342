import { readEvents } from "../../../lib/data";
import { chooseColumns } from "../../../lib/data/sources/column-names";
import type { ColumnNames, SourceOptions } from "../../../lib/data/sources/options";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();

function choose(found: string[], given: Partial<ColumnNames> = {}): [names: string, notes: string[]] {
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const options = { columns: given, eventTypes: undefined, note } as unknown as SourceOptions;
  const { sessionId, itemId, time } = chooseColumns(found, "x.csv", options);
  return [[sessionId, itemId, time].join(), notes];
}

test.each([
  [["Time", "SessionId", "ItemId"], "SessionId,ItemId,Time"],
  [["session_id", "session", "item", "SessionId", "ItemId", "Time"], "SessionId,ItemId,Time"],
])("the default names of %j win, without a note", (found, names) => {
  expect(choose(found)).toEqual([names, []]);
});

test.each([
  [["session_id", "item_id", "timestamp"], "sessionId is session_id, itemId is item_id, time is timestamp"],
  [["SESSION", "Item", "TS"], "sessionId is SESSION, itemId is Item, time is TS"],
  [["sessionid", "itemid", "time"], "sessionId is sessionid, itemId is itemid, time is time"],
  [["visit_id", "product_id", "event_time"], "sessionId is visit_id, itemId is product_id, time is event_time"],
  [["event_time", "event_type", "product_id", "user_id", "user_session"], "sessionId is user_session, itemId is product_id, time is event_time"],
  [["SessionId", "sku", "Time"], "itemId is sku"],
])("usual names are found in %j and noted", (found, list) => {
  expect(choose(found)[1]).toEqual([`columns of x.csv told by their names: ${list}`]);
}); // prettier-ignore

test("names that are given always win, and are no candidates for the others", () => {
  expect(choose(["session_id", "SessionId", "ItemId", "Time"], { sessionId: "session_id" })).toEqual(["session_id,ItemId,Time", []]); // prettier-ignore
  expect(choose(["item", "product", "SessionId", "Time"], { sessionId: "item" })[0]).toBe("item,product,Time");
  expect(() => choose(["SessionId", "ItemId", "Time"], { time: "when" })).toThrow("SessionId, ItemId, when in x.csv but when is missing"); // prettier-ignore
});

test("several that could be meant are refused, in the order of the usual names", () => {
  expect(() => choose(["product_id", "ITEM", "item", "SessionId", "Time"])).toThrow(
    'Expected one column for itemId in x.csv but ITEM or item or product_id could be meant; the option columns: { itemId: "…" } (--item-column …) says which',
  );
});

test("a missing one is named beside those that were found", () => {
  expect(() => choose(["user", "sku", "Time"])).toThrow(
    "Expected the columns SessionId, sku, Time in x.csv but SessionId is missing; found: user, sku, Time",
  );
});

test("a file is read by usual names, and the note goes to onNote or is a warning", async () => {
  const path = folder.write("usual.csv", "session_id,item_id,timestamp\n1,2,3\n");
  const notes: string[] = [];
  await readEvents(path, { onNote: (note) => notes.push(note) });
  const note = `columns of ${path} told by their names: sessionId is session_id, itemId is item_id, time is timestamp`;
  expect(notes).toEqual([note]);
  const warning = jest.spyOn(process, "emitWarning").mockImplementation();
  await readEvents(path);
  expect(warning).toHaveBeenCalledWith(note, "Gru4RecNote");
  warning.mockRestore();
  const odd = folder.write("odd.csv", "session,Session,item,time\n1,2,3,4\n");
  await expectFailure(() => readEvents(odd), "ERR_DATA", "Expected one column for sessionId in");
});
