import { parseConfig } from "../../lib/config";
import { expectFailure, problemsOf } from "../support/errors";

const parse = (text: string) => parseConfig({}, text).config;
const refuses = (text: string, message: string) => expectFailure(() => parse(text), "ERR_CONFIG", message);

test("the first published parameter set", () => {
  const text =
    "layers=100,batch_size=32,dropout_p_embed=0.1,learning_rate=0.1,n_sample=2048,sample_alpha=0.75,logq=1," +
    "loss=cross-entropy,constrained_embedding=True";
  const own = {
    layers: [100],
    batchSize: 32,
    dropoutEmbed: 0.1,
    learningRate: 0.1,
    nSample: 2048,
    sampleAlpha: 0.75,
    logq: 1,
    loss: "cross-entropy",
    embedding: "shared",
  } as const;
  expect(parse(text)).toEqual(parseConfig(own).config);
});

test("the second published parameter set", () => {
  const text =
    "layers=100,batch_size=32,dropout_p_embed=0.2,dropout_p_hidden=0.2,learning_rate=0.05,momentum=0.3,n_sample=2048," +
    "sample_alpha=0.5,bpreg=1,elu_param=0.5,loss=bpr-max,constrained_embedding=True";
  expect(parseConfig({}, text)).toEqual({
    config: parseConfig({
      batchSize: 32,
      dropoutEmbed: 0.2,
      dropoutHidden: 0.2,
      momentum: 0.3,
      loss: "bpr-max",
      finalAct: "elu-0.5",
    }).config,
    warnings: [],
  });
});

test("what is left out has the author's default: logq 0", () => {
  expect(parse("")).toEqual(parseConfig({ logq: 0 }).config);
  expect(parse("loss=cross-entropy").logq).toBe(0);
});

test("every kind of value", () => {
  const text =
    "loss=bpr-max,final_act=elu-0.5,elu_param=0.5,hidden_act=leaky-0.1,layers=100/50/20,n_epochs=3,sample_store=1e6," +
    "lmbd=1e-5,grad_cap=.5,sigma=0.1,init_as_normal=1,adapt=adam,adapt_params=0.8/0.99,time_sort=False," +
    "train_random_order=true,smoothing=0,seed=7,threads=2,resetAfter=True";
  expect(parse(text)).toMatchObject({
    finalAct: "elu-0.5",
    hiddenAct: "leaky-0.1",
    layers: [100, 50, 20],
    nEpochs: 3,
    sampleStore: 1_000_000,
    lmbd: 0.00001,
    gradCap: 0.5,
    sigma: 0.1,
    initAsNormal: true,
    adapt: "adam",
    adaptParams: [0.8, 0.99],
    timeSort: false,
    trainRandomOrder: true,
    seed: 7,
    threads: 2,
    resetAfter: true,
  });
});

test.each([
  ["", "shared"],
  ["embedding=0", "shared"],
  ["embedding=64", "shared"],
  ["embedding=64,constrained_embedding=True", "shared"],
  ["constrained_embedding=False", "none"],
  ["embedding=0,constrained_embedding=False", "none"],
  ["embedding=64,constrained_embedding=False", 64],
  ["embedding=layersize,constrained_embedding=False", "layersize"],
  ["embedding=none", "none"],
] as const)("the input of %j is %s", (text, embedding) => {
  expect(parse(text).embedding).toBe(embedding);
});

test.each([
  ["loss=bpr-max,elu_param=0", "linear"],
  ["loss=bpr-max,elu_param=1", "elu-1"],
  ["loss=top1-max,elu_param=0.5", "elu-0.5"],
  ["loss=bpr-max", "elu-0.5"],
  ["loss=cross-entropy,elu_param=0.5", "softmax"],
  ["loss=xe_logit,elu_param=0", "softmax_logit"],
] as const)("the final activation of %j is %s", (text, finalAct) => {
  expect(parse(text).finalAct).toBe(finalAct);
});

test("options win over the string", () => {
  expect(parseConfig({ nEpochs: 1, logq: 0.5 }, "n_epochs=5,batch_size=32").config).toMatchObject({
    nEpochs: 1,
    batchSize: 32,
    logq: 0.5,
  });
});

test.each([
  ["layers", 'Expected parameters as name=value,name=value but received "layers"'],
  ["=3", 'Expected parameters as name=value,name=value but received "=3"'],
  ["layers=100,", 'Expected parameters as name=value,name=value but received ""'],
  ["layers=100,layers=50", "Expected layers once but received it twice"],
  ["nSample=1,n_sample=2", "Expected n_sample once but received it twice"],
  ["layers=1O0", 'Expected layers[0] to be an integer from 1 to 2147483647 but received "1O0" (string)'],
  ["batch_size=", 'Expected batch_size to be an integer from 1 to 2147483647 but received "" (string)'],
  ["dropout_p_embed=2", "Expected dropout_p_embed to be a number of at least 0 and below 1 but received 2 (number)"],
  ["time_sort=yes", 'Expected time_sort to be true or false but received "yes" (string)'],
  ["constrained_embedding=maybe", 'Expected constrained_embedding to be True or False but received "maybe" (string)'],
  ["loss=bpr-max,elu_param=x", 'Expected elu_param to be a number of at least 0 but received "x" (string)'],
  ["loss=bpr-max,final_act=tanh,elu_param=1", 'Expected final_act to be elu-1 with elu_param 1 but received "tanh"'],
  ["n_samples=2048", "Unknown parameter n_samples; did you mean n_sample?"],
  ["dropout_p_embd=0.5", "Unknown parameter dropout_p_embd; did you mean dropout_p_embed?"],
  ["constrainedembedding=True", "Unknown parameter constrainedembedding; did you mean constrained_embedding?"],
  ["batch_size=1,n_sample=0", "Expected batch_size to be at least 2 where n_sample is 0"],
])("refuses %j", async (text, message) => {
  await refuses(text, message);
});

test("all problems come at once, under the names that the string uses", async () => {
  const problems = await problemsOf(() => parse("foo,n_smple=1,batch_size=0,adapt=adadelta,learning_rate=2"));
  expect(problems.map(({ path }) => path)).toEqual(["foo", "n_smple", "batch_size", "learning_rate"]);
});
