import type { NativeSessions } from "../../lib/native/addon";

/** One row of a step: a pair of neighbouring events of one session. */
export interface ScheduledRow {
  readonly slot: number;
  readonly session: number;
  /** First pair of its session: the slot's hidden state is zeroed before it. */
  readonly first: boolean;
  readonly input: number;
  readonly target: number;
}

/** When and where a session is read. */
interface Booking {
  readonly session: number;
  readonly slot: number;
  readonly firstStep: number;
  readonly pairs: number;
}

/**
 * The session-parallel walk: the rows of every step, slots ascending.
 *
 * Each session, in order, is booked into the slot that becomes free first, the lowest slot among equals; it holds the slot
 * for one step a pair. A step then is the cut through all bookings at its time. Sessions without a pair are not booked.
 */
export function schedule(sessions: NativeSessions, order: ArrayLike<number>, batchSize: number): ScheduledRow[][] {
  const freeFrom = new Array<number>(batchSize).fill(0);
  const bookings: Booking[] = [];
  for (let i = 0; i < order.length; ++i) {
    const session = order[i]!;
    const pairs = sessions.offsets[session + 1]! - sessions.offsets[session]! - 1;
    if (pairs < 1) continue;
    const firstStep = Math.min(...freeFrom);
    const slot = freeFrom.indexOf(firstStep);
    freeFrom[slot] = firstStep + pairs;
    bookings.push({ session, slot, firstStep, pairs });
  }

  const steps: ScheduledRow[][] = Array.from({ length: Math.max(0, ...freeFrom) }, () => []);
  for (const { session, slot, firstStep, pairs } of bookings) {
    for (let pair = 0; pair < pairs; ++pair) {
      const event = sessions.offsets[session]! + pair;
      const [input, target] = [sessions.items[event]!, sessions.items[event + 1]!];
      steps[firstStep + pair]!.push({ slot, session, first: pair === 0, input, target });
    }
  }
  for (const rows of steps) rows.sort((a, b) => a.slot - b.slot);
  return steps;
}
