import { describeValue, Gru4RecError } from "../errors";
import { checkEventCount, makeLog, type EventLog } from "./event-log";
import { scaleToSeconds, TimeReader, type TimeUnit } from "./event-times";
import { checkId, compareIds, makeIdList, pickIds, type IdKind, type ItemId, type SessionId } from "./ids";
import { OTHER_TYPE } from "./other-type";
import { countUp } from "./rows/count-up";
import { groupEvents } from "./rows/group-events";
import { SkippedRows } from "./skipped-rows";
import { inTurns, sortInTurns } from "./turns";

/** A JavaScript Map holds 2^24 entries. */
const MOST_IN_A_MAP = 2 ** 24 - 1;

/** Numbers ids of one kind in the order of their first appearance. */
class IdNumbering {
  readonly ids: ItemId[] = [];
  readonly #maps: Map<ItemId, number>[] = [new Map<ItemId, number>()];
  #lastId: ItemId | undefined;
  #lastNumber = -1;

  constructor(readonly kind: IdKind) {}

  /** Number of an id, or undefined for one that is new. */
  find(id: unknown): number | undefined {
    if (id === this.#lastId && id !== undefined) return this.#lastNumber; // a log lists a session's events together, as a rule
    for (const map of this.#maps) {
      const number = map.get(id as ItemId);
      if (number === undefined) continue;
      this.#lastId = id as ItemId;
      return (this.#lastNumber = number);
    }
    return undefined;
  }

  /** @param id - A new one, of `kind`. */
  add(id: ItemId): number {
    const last = this.#maps.at(-1)!;
    const number = this.ids.push(id === 0 ? 0 : id) - 1; // zero has one form
    if (last.size < MOST_IN_A_MAP) last.set(id, number);
    else this.#maps.push(new Map([[id, number]]));
    return number;
  }
}

/** Names the field of an event in messages. */
type NameOf = (field: "session" | "item" | "time", index: number) => string;

/** Numbers ids that come one by one, of any source: the first one decides their kind. */
class IdReader {
  #numbering: IdNumbering | undefined;
  /** Index of the event with the first id. */
  #first = 0;

  constructor(private readonly nameOf: (index: number) => string) {}

  /** What it has read. */
  get numbering(): IdNumbering {
    return this.#numbering ?? new IdNumbering("number");
  }

  /** The number of an id, or undefined for a good one that is new. */
  find(id: unknown, index: number): number | undefined {
    const number = this.#numbering?.find(id);
    if (number === undefined) this.#check(id, index);
    return number;
  }

  #check(id: unknown, index: number): asserts id is ItemId {
    checkId(id, this.nameOf(index), "ERR_DATA");
    if (this.#numbering === undefined || typeof id === this.#numbering.kind) return;
    const what = `a ${this.#numbering.kind} like ${this.nameOf(this.#first)}`;
    throw new Gru4RecError(
      "ERR_DATA",
      `Expected ${this.nameOf(index)} to be ${what} but received ${describeValue(id)}`,
    );
  }

  /** @param id - A good one that is new. @returns its number */
  add(id: ItemId, index: number): number {
    if (this.#numbering === undefined) this.#first = index;
    this.#numbering ??= new IdNumbering(typeof id as IdKind);
    return this.#numbering.add(id);
  }
}

/** Makes a log of events that come one by one. */
export class EventLogBuilder {
  /** What was no event and was passed over. */
  readonly skipped = new SkippedRows();
  readonly #sessionIds: IdReader;
  readonly #itemIds: IdReader;
  readonly #timeReader: TimeReader;
  #sessions: Int32Array<ArrayBuffer>;
  #items: Int32Array<ArrayBuffer>;
  #times: Float64Array<ArrayBuffer>;
  /** Events so far. */
  #length = 0;
  /** Calls of `add` so far. */
  #added = 0;

  /**
   * @param capacity - Events to make room for; more may come.
   * @param skips - Whether to pass over what is no event rather than to throw.
   */
  constructor(
    nameOf: NameOf,
    capacity: number,
    private readonly skips: boolean,
  ) {
    this.#sessionIds = new IdReader((index) => nameOf("session", index));
    this.#itemIds = new IdReader((index) => nameOf("item", index));
    this.#timeReader = new TimeReader((index) => nameOf("time", index));
    this.#sessions = new Int32Array(capacity);
    this.#items = new Int32Array(capacity);
    this.#times = new Float64Array(capacity);
  }

  /** How many events and others there were so far. */
  get added(): number {
    return this.#added;
  }

  /**
   * @param wanted - Whether the item matters; else it is OTHER_TYPE.
   * @throws {@link Gru4RecError} `ERR_DATA` for what is no id or time, or of another kind than the first one.
   */
  add(session: unknown, item: unknown, time: unknown, wanted: boolean): void {
    try {
      this.#add(session, item, time, wanted, this.#added);
      ++this.#added;
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Passes over what is no event, as `error` says, or throws it. */
  refuse(error: unknown): void {
    if (!this.skips || !(error instanceof Gru4RecError)) throw error;
    this.skipped.add(error.message);
    ++this.#added;
  }

  #add(session: unknown, item: unknown, time: unknown, wanted: boolean, index: number): void {
    // All is checked before anything is kept.
    const knownSession = this.#sessionIds.find(session, index);
    const knownItem = wanted ? this.#itemIds.find(item, index) : OTHER_TYPE;
    const seconds = this.#timeReader.read(time, index);
    if (this.#length === this.#items.length) this.#resize(Math.ceil(this.#length * 1.5) + 1);
    this.#sessions[this.#length] = knownSession ?? this.#sessionIds.add(session as SessionId, index);
    this.#items[this.#length] = knownItem ?? this.#itemIds.add(item as ItemId, index);
    this.#times[this.#length] = seconds;
    ++this.#length;
  }

  /**
   * @param unit - Of times that are numbers; undefined: found out.
   * @param name - What messages call the data.
   * @throws {@link Gru4RecError} `ERR_DATA` when there is no event, or there are too many.
   */
  async build(unit: TimeUnit | undefined, signal: AbortSignal | undefined, name?: string): Promise<EventLog> {
    checkEventCount(this.#length, name);
    if (this.#length < this.#items.length) this.#resize(this.#length);
    if (this.#timeReader.isNumeric) scaleToSeconds(this.#times, unit);
    const items = this.#itemIds.numbering;
    const { kind, ids } = this.#sessionIds.numbering;

    const order = countUp(ids.length);
    await sortInTurns(order, (a, b) => compareIds(ids[a]!, ids[b]!), signal);
    const place = new Int32Array(order.length);
    await inTurns(order.length, signal, (from, to) => {
      for (let i = from; i < to; ++i) place[order[i]!] = i;
    });
    const low = new Uint32Array(this.#length);
    await inTurns(low.length, signal, (from, to) => {
      for (let event = from; event < to; ++event) low[event] = place[this.#sessions[event]!]!;
    });
    const events = { keys: { low, high: 0 }, items: this.#items, times: this.#times };
    return makeLog(
      {
        itemKind: items.kind,
        itemIds: makeIdList(items.ids, items.kind),
        sessionKind: kind,
        sessionIds: await pickIds(ids, order, kind, signal),
      },
      await groupEvents([events], signal),
      signal,
    );
  }

  #resize(capacity: number): void {
    const kept = Math.min(capacity, this.#length);
    const copy = <A extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(from: A, to: A): A => {
      to.set(from.subarray(0, kept));
      return to;
    };
    this.#sessions = copy(this.#sessions, new Int32Array(capacity));
    this.#items = copy(this.#items, new Int32Array(capacity));
    this.#times = copy(this.#times, new Float64Array(capacity));
  }
}
