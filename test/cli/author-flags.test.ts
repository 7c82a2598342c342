import { rewriteAuthorFlags } from "../../lib/cli/author-flags";

test("the author's flags become long options, his list lengths one word", () => {
  expect(rewriteAuthorFlags(["train", "log.tsv", "-ps", "a=b", "-t", "test.tsv", "-m", "5", "10", "20", "-s", "m"])).toEqual([
    "train", "log.tsv", "--parameters", "a=b", "--test", "test.tsv", "--k", "5,10,20", "--output", "m",
  ]); // prettier-ignore
});

test("other words stay", () => {
  const args = ["evaluate", "model", "log.tsv", "--k", "5,20", "--ties", "median", "-h"];
  expect(rewriteAuthorFlags(args)).toEqual(args);
});
