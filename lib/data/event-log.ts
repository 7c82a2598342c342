import { makeIdList, type IdKind, type IdList, type ItemId } from "./ids";

/**
 * A click log in memory: events in the order of the input, ids as numbers in the order of their first appearance. 16
 * bytes an event.
 */
export interface EventLog {
  readonly itemKind: IdKind;
  /** Ids of the items, by number. */
  readonly itemIds: IdList;
  readonly sessionKind: IdKind;
  /** Ids of the sessions, by number. */
  readonly sessionIds: IdList;
  /** [events] item numbers */
  readonly items: Int32Array;
  /** [events] session numbers */
  readonly sessions: Int32Array;
  /** [events] */
  readonly times: Float64Array;
}

/** Numbers ids in the order of their first appearance. */
export class IdNumbering {
  readonly #numbers = new Map<ItemId, number>();
  #lastId: ItemId | undefined;
  #lastNumber = -1;

  constructor(readonly kind: IdKind) {}

  numberOf(id: ItemId): number {
    if (id === this.#lastId) return this.#lastNumber; // a log lists a session's events together, as a rule
    let number = this.#numbers.get(id);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(id, number);
    }
    this.#lastId = id;
    this.#lastNumber = number;
    return number;
  }

  ids(): IdList {
    return makeIdList([...this.#numbers.keys()], this.kind);
  }
}

/** The events `chosen` (ascending) of a log as a log of its own. */
export function selectEvents(log: EventLog, chosen: Int32Array): EventLog {
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
    itemIds: itemNumbers.ids(),
    sessionKind: log.sessionKind,
    sessionIds: sessionNumbers.ids(),
    items,
    sessions,
    times,
  };
}
