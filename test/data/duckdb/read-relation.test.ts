import { readRelation } from "../../../lib/data/duckdb/read-relation";
import { keySql, type Relation } from "../../../lib/data/duckdb/relation";
import { withDuckDb } from "../../../lib/data/duckdb/session";

const OPTIONS = { memoryLimit: undefined, timeUnit: undefined, signal: undefined };
const relation: Relation = {
  from: "(VALUES ('s2', 'tea', 5), ('s1', 'cup', 3), ('s2', 'milk', 4), ('s3', 'tea', 1), ('s1', 'pot', 9)) t(s, i, t)",
  session: { sql: "s", type: "text" },
  item: { sql: "i", type: "text" },
  time: { sql: "t", type: "number" },
};

/** Reads by keys that are the same for texts that begin alike until `good` words were added to them. */
async function readBy(good: number, salts: Set<number>) {
  return withDuckDb(OPTIONS, (connection) =>
    readRelation(connection, relation, OPTIONS, {
      mostUnchecked: 0,
      keySql: (id, read, salt) => {
        salts.add(salt);
        return salt < good ? `hash(left(${id}, 1))` : keySql(id, read, salt);
      },
    }),
  );
}

test("two texts of one key do not become one: other keys are taken", async () => {
  const salts = new Set<number>();
  const log = await readBy(3, salts);
  expect([...salts]).toEqual([0, 1, 2, 3]);
  expect(log).toEqual(await readBy(0, new Set()));
  expect(log).toMatchObject({
    itemIds: ["tea", "cup", "milk", "pot"],
    offsets: Int32Array.of(0, 2, 4, 5),
    items: Int32Array.of(1, 3, 2, 0, 0),
    times: Float64Array.of(3, 9, 4, 5, 1),
  });
  expect([0, 1, 2].map((session) => log.sessionIds.at(session))).toEqual(["s1", "s2", "s3"]);
});

test.each([
  ["sessions", "starts_with(ID, 's')"],
  ["items", "ID IN ('cup', 'pot')"],
])("nor do two of %s alone", async (_, alike) => {
  const log = await withDuckDb(OPTIONS, (connection) =>
    readRelation(connection, relation, OPTIONS, {
      mostUnchecked: 0,
      keySql: (id, read, salt) =>
        salt === 0 ? `hash(CASE WHEN ${alike.replace("ID", id)} THEN 'x' ELSE ${id} END)` : keySql(id, read, salt),
    }),
  );
  expect(log).toEqual(await readBy(0, new Set()));
});

test("keys that never differ are an error, not a wrong log", async () => {
  await expect(readBy(Infinity, new Set())).rejects.toThrow("Expected different ids to have different keys");
});
