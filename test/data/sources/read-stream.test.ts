import { readdirSync } from "node:fs";
import os from "node:os";
import { PassThrough, Readable } from "node:stream";
import { readEvents, type DataInput } from "../../../lib/data";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
beforeAll(() => {
  jest.spyOn(os, "tmpdir").mockReturnValue(folder.path(""));
});
afterEach(() => {
  expect(readdirSync(folder.path(""))).toEqual([]); // nothing stays, whatever happened
});

const textStream = (...chunks: (string | Buffer)[]) => Readable.from(chunks, { objectMode: false });

test("a stream gives what a file of its text does", async () => {
  const bytes = Buffer.from("visit,ItemId,Time\n1,ä,3\n1,日本,5\n");
  const log = await readEvents(textStream(...Array.from(bytes, (byte) => Buffer.of(byte))), {
    columns: { sessionId: "visit" },
    timeUnit: "ms",
  });
  expect(log.itemIds).toEqual(["ä", "日本"]);
  expect(log.times).toEqual(Float64Array.of(0.003, 0.005));
});

test("a stream of decoded text works, too", async () => {
  const stream = new PassThrough({ encoding: "utf8" });
  stream.end("SessionId,ItemId,Time\n1,ä,3\n");
  expect((await readEvents(stream)).itemIds).toEqual(["ä"]);
  expect(os.tmpdir).toHaveBeenCalled(); // where its copy was
});

test("a stream of objects is an iterable of events", async () => {
  expect((await readEvents(Readable.from([{ session: 1, item: "a", time: 2 }]))).itemIds).toEqual(["a"]);
});

test("messages name the stream", async () => {
  const bad = "SessionId,ItemId,Time\n1,2,x\n";
  const stdin = (text: string): DataInput => Object.assign(textStream(text), { fd: 0 });
  await expectFailure(() => readEvents(textStream(bad)), "ERR_DATA", /Time on line 2 .* in the stream$/);
  await expectFailure(() => readEvents(stdin(bad)), "ERR_DATA", /Time on line 2 .* in standard input$/);
  await expectFailure(() => readEvents(stdin("a,b\n")), "ERR_DATA", "in standard input but SessionId");
  await expectFailure(() => readEvents(textStream("")), "ERR_DATA", "events in the stream but it is empty");
});

test("what a stream fails with comes as it is", async () => {
  const failure = new Error("the connection is gone");
  const stream = new Readable({
    read() {
      this.push("SessionId,ItemId,Time\n");
      this.destroy(failure);
    },
  });
  await expect(readEvents(stream)).rejects.toBe(failure);
});
