import { rewriteAuthorFlags } from "../../lib/cli/author-flags";

const rewrite = (words: string) => rewriteAuthorFlags(words.split(" ")).join(" ");

test.each([
  ["train log -ps a=b -pf p.py -s m -e median", "train log --parameters a=b --config p.py --output m --ties median"],
  ["train log -ik i -sk s -tk t -d cpu -lpm", "train log --item-column i --session-column s --time-column t --device cpu --log-primary-metric"],
  ["train model -l -t a.tsv", "train model --load-model --test a.tsv"],
  ["train log -t a.tsv b.tsv - -s m", "train log --test a.tsv --test b.tsv --test - --output m"],
  ["train log -m 5 10 20 -s m", "train log --k 5,10,20 --output m"],
  ["train log -m 5,10 20", "train log --k 5,10,20"],
])("the author's flags: %s", (words, ours) => {
  expect(rewrite(words)).toBe(ours);
}); // prettier-ignore

test("a flag without its words is left for the command line to refuse", () => {
  expect(rewrite("train log -t -s m -m")).toBe("train log --test --output m --k");
});

test("other words stay, and those behind --", () => {
  for (const words of ["evaluate model log.tsv --k 5,20 --ties median -h", "train --output m -- -t -m 5"])
    expect(rewrite(words)).toBe(words);
});
