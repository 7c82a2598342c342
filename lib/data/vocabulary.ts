import { convertId, type IdKind, type IdList, type ItemId } from "./ids";

/** The items of a model: their ids by index, and their indices by id. */
export class Vocabulary {
  /** Made when first needed. */
  #indices: Map<ItemId, number> | undefined;

  /** @param ids - Distinct, of `kind`. */
  constructor(
    readonly kind: IdKind,
    readonly ids: IdList,
  ) {}

  get size(): number {
    return this.ids.length;
  }

  idAt(index: number): ItemId {
    return this.ids[index]!;
  }

  /** Index of an item, or undefined for an unknown one. Ids are the same when their texts are. */
  indexOf(id: ItemId): number | undefined {
    if (this.#indices === undefined) {
      this.#indices = new Map();
      for (let i = 0; i < this.size; ++i) this.#indices.set(this.idAt(i), i);
    }
    const converted = convertId(id, this.kind);
    return converted === undefined ? undefined : this.#indices.get(converted);
  }
}
