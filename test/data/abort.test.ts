import { Readable } from "node:stream";
import { readEvents, train, type Event } from "../../lib";
import { circleClicks, tsvOf } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

jest.setTimeout(60_000); // much work where other tests take the cores

const folder = temporaryFolder();

/** Aborts in a moment, while data is read. */
function soon(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  return controller.signal;
}

test("an abort stops the reading of a file", async () => {
  const path = folder.write("large.tsv", tsvOf(circleClicks({ sessions: 300_000 })));
  await expectFailure(() => readEvents(path, { signal: soon() }), "ERR_ABORTED", "aborted");
  await expectFailure(() => train(path, { signal: soon() }), "ERR_ABORTED", "aborted");
});

test("an abort stops the reading of a stream that does not end, and destroys it", async () => {
  const stream = new Readable({ read: () => undefined });
  stream.push("SessionId\tItemId\tTime\n");
  await expectFailure(() => readEvents(stream, { signal: soon() }), "ERR_ABORTED", "aborted");
  expect(stream.destroyed).toBe(true);
});

test("an abort stops the reading of events that never come, and of events that never end", async () => {
  async function* silent(): AsyncGenerator<Event> {
    await new Promise(() => undefined);
  }
  await expectFailure(() => readEvents(silent(), { signal: soon() }), "ERR_ABORTED", "aborted");

  let closed = false;
  async function* endless(): AsyncGenerator<Event<number>> {
    try {
      for (let event = 0; ; ++event) {
        yield { session: event >> 1, item: event % 10, time: event };
        if (event % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      closed = true;
    }
  }
  await expectFailure(() => readEvents(endless(), { signal: soon() }), "ERR_ABORTED", "aborted");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(closed).toBe(true);
});

test("an abort before the start reads nothing", async () => {
  await expectFailure(() => readEvents("/nowhere", { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
});
