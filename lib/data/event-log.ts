import { describeValue, Gru4RecError } from "../errors";
import { scaleToSeconds, TimeReader, type TimeUnit } from "./event-times";
import { checkId, makeIdList, type IdKind, type IdList, type ItemId } from "./ids";

/**
 * A click log in memory: events in the order of the input, ids as numbers in the order of their first appearance. 16
 * bytes an event.
 */
export interface EventLog<Id extends ItemId = ItemId> {
  readonly itemKind: IdKind;
  /** Ids of the items, by number. */
  readonly itemIds: IdList<Id>;
  readonly sessionKind: IdKind;
  /** Ids of the sessions, by number. */
  readonly sessionIds: IdList;
  /** [events] item numbers */
  readonly items: Int32Array;
  /** [events] session numbers */
  readonly sessions: Int32Array;
  /** [events] Unix seconds, from 0 on */
  readonly times: Float64Array;
}

/** Numbers ids in the order of their first appearance. */
export class IdNumbering {
  readonly #numbers = new Map<unknown, number>();
  #lastId: unknown;
  #lastNumber: number | undefined;

  constructor(readonly kind: IdKind) {}

  /** Number of an id, or undefined for one that is new. */
  find(id: unknown): number | undefined {
    if (id === this.#lastId) return this.#lastNumber; // a log lists a session's events together, as a rule
    const number = this.#numbers.get(id);
    if (number !== undefined) {
      this.#lastId = id;
      this.#lastNumber = number;
    }
    return number;
  }

  /** @param id - Of `kind`. */
  numberOf(id: ItemId): number {
    return this.find(id) ?? this.#add(id);
  }

  ids(): IdList {
    return makeIdList([...this.#numbers.keys()] as ItemId[], this.kind);
  }

  #add(id: ItemId): number {
    const number = this.#numbers.size;
    this.#numbers.set(id, number);
    return number;
  }
}

/** Names the field of an event in messages. */
type NameOf = (field: "session" | "item" | "time", index: number) => string;

/** Numbers ids that come one by one, of any source: the first one decides their kind. */
class IdReader {
  #numbering: IdNumbering | undefined;

  constructor(private readonly nameOf: (index: number) => string) {}

  /** What it has read; there must be an id. */
  get numbering(): IdNumbering {
    return this.#numbering!;
  }

  read(id: unknown, index: number): number {
    return this.#numbering?.find(id) ?? this.#readNew(id, index);
  }

  #readNew(id: unknown, index: number): number {
    checkId(id, this.nameOf(index), "ERR_DATA");
    const kind = typeof id as IdKind;
    this.#numbering ??= new IdNumbering(kind);
    if (kind === this.#numbering.kind) return this.#numbering.numberOf(id);
    const what = `a ${this.#numbering.kind} like ${this.nameOf(0)}`;
    throw new Gru4RecError(
      "ERR_DATA",
      `Expected ${this.nameOf(index)} to be ${what} but received ${describeValue(id)}`,
    );
  }
}

/** Makes a log of events that come one by one. */
export class EventLogBuilder {
  readonly #sessionIds: IdReader;
  readonly #itemIds: IdReader;
  readonly #timeReader: TimeReader;
  #sessions: Int32Array;
  #items: Int32Array;
  #times: Float64Array;
  #length = 0;

  /** @param capacity - Events to make room for; more may come. */
  constructor(nameOf: NameOf, capacity: number) {
    this.#sessionIds = new IdReader((index) => nameOf("session", index));
    this.#itemIds = new IdReader((index) => nameOf("item", index));
    this.#timeReader = new TimeReader((index) => nameOf("time", index));
    this.#sessions = new Int32Array(capacity);
    this.#items = new Int32Array(capacity);
    this.#times = new Float64Array(capacity);
  }

  /** Number of events so far. */
  get length(): number {
    return this.#length;
  }

  /** @throws {@link Gru4RecError} `ERR_DATA` for what is no id or time, or of another kind than the first one. */
  add(session: unknown, item: unknown, time: unknown): void {
    if (this.#length === this.#items.length) this.#resize(Math.ceil(this.#length * 1.5));
    const index = this.#length;
    this.#sessions[index] = this.#sessionIds.read(session, index);
    this.#items[index] = this.#itemIds.read(item, index);
    this.#times[index] = this.#timeReader.read(time, index);
    ++this.#length;
  }

  /**
   * @param unit - Of times that are numbers; undefined: found out.
   * @throws {@link Gru4RecError} `ERR_DATA` when there is no event.
   */
  build(unit: TimeUnit | undefined): EventLog {
    if (this.#length === 0) throw new Gru4RecError("ERR_DATA", "Expected at least one event but received none");
    if (this.#length < this.#items.length) this.#resize(this.#length);
    if (this.#timeReader.isNumeric) scaleToSeconds(this.#times, unit);
    const items = this.#itemIds.numbering;
    const sessions = this.#sessionIds.numbering;
    return {
      itemKind: items.kind,
      itemIds: items.ids(),
      sessionKind: sessions.kind,
      sessionIds: sessions.ids(),
      items: this.#items,
      sessions: this.#sessions,
      times: this.#times,
    };
  }

  #resize(capacity: number): void {
    const kept = Math.min(capacity, this.#length);
    const copy = <A extends Int32Array | Float64Array>(from: A, to: A): A => (to.set(from.subarray(0, kept)), to);
    this.#sessions = copy(this.#sessions, new Int32Array(capacity));
    this.#items = copy(this.#items, new Int32Array(capacity));
    this.#times = copy(this.#times, new Float64Array(capacity));
  }
}

/** The events `chosen` (ascending) of a log as a log of its own. */
export function selectEvents<Id extends ItemId>(log: EventLog<Id>, chosen: Int32Array): EventLog<Id> {
  const itemNumbers = new IdNumbering(log.itemKind);
  const sessionNumbers = new IdNumbering(log.sessionKind);
  const items = new Int32Array(chosen.length);
  const sessions = new Int32Array(chosen.length);
  const times = new Float64Array(chosen.length);
  chosen.forEach((event, i) => {
    items[i] = itemNumbers.numberOf(log.itemIds[log.items[event]!]!);
    sessions[i] = sessionNumbers.numberOf(log.sessionIds[log.sessions[event]!]!);
    times[i] = log.times[event]!;
  });
  return {
    itemKind: log.itemKind,
    itemIds: itemNumbers.ids() as IdList<Id>,
    sessionKind: log.sessionKind,
    sessionIds: sessionNumbers.ids(),
    items,
    sessions,
    times,
  };
}
