import fc from "fast-check";
import { PackedText, Vocabulary } from "../../lib/data";
import { isId } from "../../lib/data/ids";

const texts = fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })));

test("any texts come back as they went in", () => {
  fc.assert(
    fc.property(texts, (given) => {
      const packed = PackedText.of(given);
      expect(packed.length).toBe(given.length);
      expect(given.map((_, i) => packed.at(i))).toEqual(given);
      expect(Buffer.from(packed.bytes)).toEqual(Buffer.from(given.join("")));
      const copy = new PackedText(packed.bytes, packed.offsets);
      expect(given.map((_, i) => copy.at(i))).toEqual(given);
    }),
  );
});

test("bytes in the middle of other memory are read from where they begin", () => {
  const memory = new Uint8Array(Buffer.from("xxäbc"));
  const packed = new PackedText(memory.subarray(2), Float64Array.of(0, 2, 2, 4));
  expect([0, 1, 2].map((i) => packed.at(i))).toEqual(["ä", "", "bc"]);
});

describe("a vocabulary of packed text", () => {
  const ids = ["b", "日本", "7", "😀"];
  const packed = PackedText.of(ids);
  const vocabulary = new Vocabulary("string", packed);

  test("answers as one of strings does", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: "binary" }).filter(isId)), (distinct) => {
        const plain = new Vocabulary("string", distinct);
        const unpacked = new Vocabulary("string", PackedText.of(distinct));
        expect(unpacked.size).toBe(plain.size);
        expect(unpacked.ids).toEqual(plain.ids);
        expect(distinct.map((id) => unpacked.indexOf(id))).toEqual([...distinct.keys()]);
        expect(distinct.map((_, i) => unpacked.idAt(i))).toEqual(distinct);
      }),
    );
    expect(vocabulary.indexOf(7)).toBe(2);
    expect(vocabulary.indexOf("x")).toBeUndefined();
  });

  test("decodes nothing before it is asked, and then that one id", () => {
    const at = jest.spyOn(packed, "at");
    const fresh = new Vocabulary("string", packed);
    expect(fresh.size).toBe(4);
    expect(fresh.idAt(1)).toBe("日本");
    expect(at.mock.calls).toEqual([[1]]);
    at.mockRestore();
  });

  test("is saved without packing again; one of strings is packed", () => {
    expect(vocabulary.packedIds()).toBe(packed);
    expect(new Vocabulary("string", ids).packedIds()).toEqual(packed);
  });
});
