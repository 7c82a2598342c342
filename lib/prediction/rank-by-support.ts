import type { Vocabulary } from "../data";
import { setOf, type Choice } from "./item-choice";
import type { RankedItems } from "./recommendations";

/** Of each model (by its support): all items by descending support. */
const ORDERS = new WeakMap<Uint32Array, Int32Array>();

/** Items by descending support, lower index first on ties. */
function bySupport(support: Uint32Array, items: Int32Array): Int32Array {
  return items.slice().sort((a, b) => support[b]! - support[a]! || a - b);
}

function allBySupport(support: Uint32Array): Int32Array {
  let order = ORDERS.get(support);
  if (order === undefined) {
    order = bySupport(
      support,
      new Int32Array(support.length).map((_, item) => item),
    );
    ORDERS.set(support, order);
  }
  return order;
}

function isIn(ascending: Int32Array, item: number): boolean {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < item) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === item;
}

/** Lists of the items with the greatest training support, for sessions without a known item. */
export class SupportRanking {
  /** Of the candidates that all sessions have, by support; made when first needed. */
  #shared: Int32Array | undefined;

  /** @param support - [items] */
  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly support: Uint32Array,
    private readonly choice: Choice,
  ) {}

  /** @param excluded - Ascending. */
  list(session: number, excluded: Int32Array): RankedItems {
    const items: RankedItems["items"] = [];
    const scores: number[] = [];
    for (const item of this.#orderFor(session)) {
      if (items.length === this.choice.k) break;
      if (isIn(excluded, item)) continue;
      items.push(this.vocabulary.idAt(item));
      scores.push(this.support[item]!);
    }
    return { items, scores };
  }

  #orderFor(session: number): Int32Array {
    const { candidates } = this.choice;
    if (candidates === undefined) return allBySupport(this.support);
    if (candidates instanceof Int32Array) return (this.#shared ??= bySupport(this.support, candidates));
    return bySupport(this.support, setOf(candidates, session));
  }
}
