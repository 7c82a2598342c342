import { convertId, type IdKind, type IdList, type ItemId } from "./ids";
import { PackedText } from "./packed-text";

/** The items of a model: their ids by index, and their indices by id. */
export class Vocabulary<Id extends ItemId = ItemId> {
  /** Number of items. */
  readonly size: number;
  readonly #given: IdList<Id> | PackedText;
  /** Made when first needed. */
  #indices: Map<ItemId, number> | undefined;

  /** @param ids - Distinct, of `kind`. */
  constructor(
    readonly kind: IdKind,
    ids: IdList<Id> | PackedText,
  ) {
    this.size = ids.length;
    this.#given = ids;
  }

  /** All ids by index; packed ones are unpacked at every access. */
  get ids(): IdList<Id> {
    const given = this.#given;
    if (!(given instanceof PackedText)) return given;
    return Array.from({ length: this.size }, (_, index) => given.at(index)) as readonly string[] as IdList<Id>;
  }

  /** The ids of a vocabulary of text as one piece of memory, as model files hold them. */
  packedIds(): PackedText {
    return this.#given instanceof PackedText ? this.#given : PackedText.of(this.#given as readonly string[]);
  }

  idAt(index: number): Id {
    return (this.#given instanceof PackedText ? this.#given.at(index) : this.#given[index]!) as Id;
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
