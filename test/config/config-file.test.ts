import {
  parseConfig,
  parseSources,
  optionsSource,
  parameterStringSource,
  readConfig,
  readConfigFile,
} from "../../lib/config";
import { temporaryFolder } from "../support/files";
import { expectFailure, problemsOf } from "../support/errors";

const folder = temporaryFolder();
let files = 0;
const write = (extension: string, text: string | Buffer) => folder.write(`config-${++files}.${extension}`, text);
const python = (text: string) => readConfig(write("py", text));
const json = (text: string) => readConfig(write("jsonc", text));

const PUBLISHED = `# best parameters
from collections import OrderedDict

gru4rec_params = OrderedDict([
    ('loss', 'bpr-max'),
    ('constrained_embedding', True),
    ('embedding', 0),
    ('elu_param', 0.5),  # of the loss
    ('layers', [512]),
    ('n_epochs', 10),
    ('batch_size', 144),
    ('dropout_p_embed', 0.35),
    ('dropout_p_hidden', 0.0),
    ('learning_rate', 0.05),
    ('momentum', 0.4),
    ('n_sample', 2048),
    ('sample_alpha', 0.2),
    ('bpreg', 1.95),
    ('logq', 0.0)
])
`;

test("the author's parameter file", async () => {
  expect(await python(PUBLISHED)).toEqual({
    loss: "bpr-max",
    embedding: "shared",
    finalAct: "elu-0.5",
    layers: [512],
    nEpochs: 10,
    batchSize: 144,
    dropoutEmbed: 0.35,
    dropoutHidden: 0,
    learningRate: 0.05,
    momentum: 0.4,
    nSample: 2048,
    sampleAlpha: 0.2,
    bpreg: 1.95,
    logq: 0,
  });
});

test.each([
  ["pairs in a tuple", "p = OrderedDict((('layers', (100, 50)), ('time_sort', False),))"],
  ["braces", "p = {'layers': [100, 50], 'time_sort': False}"],
  ["braces in a call", 'p = dict({"layers": [100, 50], "time_sort": False,},)'],
  ["keywords", "import collections\np = dict(layers=[100, 50,], time_sort=False)"],
  ["a qualified name", "import collections\np = collections.OrderedDict([['layers', [100, (50)]], ('time_sort', False)])"],
  ["Windows line breaks and a byte order mark", "\ufeff# c\r\n\r\np = {\r\n'layers':\r\n[100, 50], # x\r\n 'time_sort': False}\r\n"],
  ["several dicts", "other = {'layers': [1]}\ngru4rec_params = {'layers': [100, 50], 'time_sort': False}\nmore = {}"],
  ["our names", "p = {'layers': [100, 50], 'timeSort': False}"],
  ["numbers in every form", "p = {'layers': [1_00, +5_0.0e0], 'time_sort': False, 'sigma': .0, 'lmbd': 0.}"],
])("an author's file with %s", async (_, text) => {
  expect(await python(text)).toMatchObject({ layers: [100, 50], timeSort: false, logq: 0 });
}); // prettier-ignore

test("escapes in the author's texts", async () => {
  expect(await python(String.raw`p = {'\x6c\u006fss': "b\160r", "final_act": 'r\U00000065lu'}`)).toMatchObject({
    loss: "bpr",
    finalAct: "relu",
  });
});

test.each<[string, string]>([
  ["", ":1:1: Expected an assignment of gru4rec_params but received the end of the file"],
  ["a = {}\nb = {}", ":2:7: Expected an assignment of gru4rec_params but received the end of the file"],
  ["a = {}\na = {}", ":2:1: Expected one assignment of a but received a"],
  ["{'layers': [1]}", ":1:1: Expected an assignment such as gru4rec_params = OrderedDict([…]) but received {"],
  ["p = 5", ":1:5: Expected OrderedDict([…]), dict(…) or {…} but received 5"],
  ["p = {'a': 1} | {}", ":1:14: Expected the end of the line but received |"],
  ["p = {'a': 1}; q = {}", ":1:13: Expected the end of the line but received ;"],
  ["p = {'a': 1}\nprint(p)", ":2:6: Expected = but received ("],
  ["p = {'a': 1}\np['b'] = 2", ":2:2: Expected = but received ["],
  ["import os\np = {}", ":1:8: Expected collections but received os"],
  ["from os import system", ":1:6: Expected collections but received os"],
  ["from collections import *", ":1:25: Expected a name but received *"],
  ["import collections as c", ":1:20: Expected the end of the line but received as"],
  ["p = __import__('os').system('true')", ":1:5: Expected OrderedDict([…]), dict(…) or {…} but received __import__"],
  ["p = {\n 'layers': [int('1')]}", ":2:13: Expected a literal: text, number, True, False, None, list or tuple but received int"],
  ["p = {'layers': (lambda: 1)()}", ":1:17: Expected a literal: text, number, True, False, None, list or tuple but received lambda"],
  ["p = {'layers': [100] * 2}", ":1:22: Expected , or } but received *"],
  ["p = {'layers': [x for x in (1, 2)]}", "but received x"],
  ["p = {'loss': f'{1}'}", "but received f"],
  ["p = {'loss': ''.join(['b'])}", ":1:16: Expected , or } but received ."],
  ["p = {'loss': 'b' 'pr'}", ":1:18: Expected , or } but received 'pr'"],
  ["p = {**{}}", ":1:6: Expected a parameter's name in quotes but received *"],
  ["p = {'loss' if 1 else 'x': 1}", ":1:13: Expected : but received if"],
  ["p = dict(**{})", "but received *"],
  ["p = OrderedDict.fromkeys(['loss'])", ":1:16: Expected ( but received ."],
  ["p = OrderedDict(zip('a', 'b'))", "but received zip"],
  ["p = dict('loss')", ":1:10: Expected a list of pairs ('name', value) but received 'loss'"],
  ["p = dict([('loss', 1, 2)])", ":1:11: Expected a pair ('name', value) but received ("],
  ["p = dict([(1, 'loss')])", ":1:11: Expected a pair ('name', value) but received ("],
  ["p = {'loss': 'bpr", `:1:18: Expected ' at the end of the text but received the end of the file`],
  ['p = {"loss": "bpr\n"}', ':1:18: Expected " at the end of the text but received the end of the line'],
  ["p = {'loss': '''bpr'''}", ":1:14: Expected a text in single quotes but received '''"],
  [String.raw`p = {'loss': '\N{BULLET}'}`, String.raw`:1:15: Expected an escape such as \n or \u00e9 but received \N`],
  [String.raw`p = {'loss': '\UFFFFFFFF'}`, String.raw`:1:15: Expected an escape such as \n or \u00e9 but received \U`],
  ["p = {'n_epochs': 0x10}", ":1:18: Expected a decimal number but received 0x10"],
  ["p = {'sigma': 1j}", ":1:15: Expected a decimal number but received 1j"],
  ["p = {'n_epochs': 5", ":1:19: Expected , or } but received the end of the file"],
  ["p = {'n_epochs': -'5'}", "but received -"],
  ["p = \\\n{}", "but received \\"],
  [`p = {'layers': ${"[".repeat(40_000)}`, "Expected brackets in at most 16 brackets but received ["],
])("code in an author's file is refused: %j", async (text, message) => {
  const path = write("py", text);
  const problems = await problemsOf(() => readConfigFile(path));
  expect(problems).toHaveLength(1);
  expect(problems[0]!.message).toContain(message);
  expect(problems[0]!.path).toMatch(/config-\d+\.py:\d+:\d+$/);
}); // prettier-ignore

test("problems of an author's file come at once, each with its place", async () => {
  const path = write("py", "p = {\n'n_smple': 1,\n'batch_size': '32',\n'layers': [100, None], 'elu_param': -1, 'layers': 3}");
  expect(await problemsOf(() => readConfig(path))).toEqual([
    { path: "n_smple", message: `${path}:2:1: Unknown parameter n_smple; did you mean n_sample?` },
    { path: "layers", message: `${path}:4:41: Expected layers once but received it twice` },
    { path: "elu_param", message: `${path}:4:24: Expected elu_param to be a number of at least 0 but received -1 (number)` },
    { path: "layers[1]", message: `${path}:4:1: Expected layers[1] to be an integer from 1 to 2147483647 but received null` },
    { path: "batch_size", message: `${path}:3:1: Expected batch_size to be an integer from 1 to 2147483647 but received "32" (string)` },
  ]);
}); // prettier-ignore

test("JSON with comments and trailing commas, with our names; logq has our default", async () => {
  const text = '// tuned\n{ "layers": [100, 50], /* of it */ "loss": "cross-entropy", "timeSort": false, }';
  const values = await json(text);
  expect(values).toEqual({ layers: [100, 50], loss: "cross-entropy", timeSort: false });
  expect(parseConfig(values).config.logq).toBe(1);
  expect(await readConfig(write("JSON", "{}"))).toEqual({});
});

test("an effective configuration written as JSON comes back", async () => {
  const { config } = parseConfig({ loss: "bpr-max", adapt: "adam", embedding: 32 });
  expect(await readConfig(write("json", JSON.stringify(config)))).toEqual(config);
});

test.each<[string, string]>([
  ["", ":1:1: Expected a value but received the end of the file"],
  ["[]", ":1:1: Expected an object {…} of parameters but received array"],
  ['{ "layers": [100], }, 5', ":1:21: Expected the end of the file but received ,"],
  ['{\n  "layers" [100]\n}', ":2:12: Expected : but received ["],
  ['{ "layers": [100] "loss": "bpr" }', ":1:19: Expected , but received \"loss\""],
  ["{ layers: [100] }", ":1:3: Expected a value but received layers"],
  ['{ "loss": "bpr', ':1:11: Expected " at the end of the text but received "bpr'],
  ['{ "layers": [100', "Expected ] but received the end of the file"],
  ['{ "sigma": 1e }', "Expected a digit at the end of the number but received 1e"],
  ['{ "layers": [1], "layers": [2] }', ":1:18: Expected layers once but received it twice"],
  ['{ "__proto__": { "layers": [2] } }', ":1:3: Unknown parameter __proto__"],
  ['{ "batch_size": 5 }', ":1:3: Unknown parameter batch_size; did you mean batchSize?"],
  ['{ "batchSize": "5" }', ':1:3: Expected batchSize to be an integer from 1 to 2147483647 but received "5" (string)'],
  ['{ "layers": [100, "50"] }', ':1:3: Expected layers[1] to be an integer from 1 to 2147483647 but received "50" (string)'],
  ['{ "timeSort": null }', ":1:3: Expected timeSort to be true or false but received null"],
  [`{ "layers": ${"[".repeat(60_000)}`, "Expected"],
])("refuses the JSON %j", async (text, message) => {
  const path = write("json", text);
  await expectFailure(() => readConfig(path), "ERR_CONFIG", message);
  await expectFailure(() => readConfig(path), "ERR_CONFIG", path);
}); // prettier-ignore

test("files that cannot be read", async () => {
  await expectFailure(() => readConfig(folder.path("none.py")), "ERR_FILE", "none.py to be a readable file but there is no such file");
  await expectFailure(() => readConfig(folder.path("")), "ERR_FILE", "but it is a directory");
  await expectFailure(() => readConfig(write("py", Buffer.from([0xff, 0xfe]))), "ERR_CONFIG", "Expected text in UTF-8 but received other bytes");
  await expectFailure(() => readConfig(write("py", "#".repeat(70_000))), "ERR_CONFIG", "Expected a configuration of at most 64 KiB but received a larger file");
}); // prettier-ignore

describe("sources:", () => {
  const merge = async (file: string | undefined, parameters?: string, options: object = {}) => {
    const fromFile = file === undefined ? [] : [await readConfigFile(file)];
    const fromString = parameters === undefined ? [] : [parameterStringSource(parameters)];
    return parseSources([...fromFile, ...fromString, optionsSource(options)]).config;
  };

  test("options win over the string, the string over the file, the file over defaults", async () => {
    const file = write("json", '{ "nEpochs": 1, "batchSize": 2, "momentum": 0.3 }');
    expect(await merge(file, "n_epochs=5,batch_size=6", { nEpochs: 7 })).toMatchObject({
      nEpochs: 7,
      batchSize: 6,
      momentum: 0.3,
      dropoutEmbed: 0,
    });
  });

  test("the author's logq of 0 is a default that any source beats", async () => {
    const file = write("json", '{ "logq": 0.7 }');
    expect((await merge(file, "n_epochs=5")).logq).toBe(0.7);
    expect((await merge(undefined, "n_epochs=5")).logq).toBe(0);
    expect((await merge(write("json", "{}"), "n_epochs=5")).logq).toBe(0);
    expect((await merge(write("py", "p = {}"))).logq).toBe(0);
    expect((await merge(write("py", "p = {}"), "logq=0.2")).logq).toBe(0.2);
    expect((await merge(write("py", "p = {}"), undefined, { logq: 0.3 })).logq).toBe(0.3);
    expect((await merge(write("json", "{}"))).logq).toBe(1);
  });

  test("an author's file and string are read as one: elu_param and constrained_embedding", async () => {
    const file = write("py", "p = {'elu_param': 1.0, 'constrained_embedding': False, 'embedding': 32}");
    expect(await merge(file, "loss=bpr-max")).toMatchObject({ finalAct: "elu-1", embedding: 32 });
    expect(await merge(file, "loss=bpr-max,constrained_embedding=True")).toMatchObject({ embedding: "shared" });
    expect(await merge(file, undefined, { loss: "top1" })).toMatchObject({ finalAct: "elu-1" });
    expect(await merge(file, "elu_param=0,loss=bpr-max")).toMatchObject({ finalAct: "linear" });
    expect(await merge(file, "loss=bpr-max", { finalAct: "tanh", embedding: 7 })).toMatchObject({
      finalAct: "tanh",
      embedding: 7,
    });
  });

  test("a string that does not say what the input is leaves that of a file", async () => {
    expect(await merge(write("json", '{ "embedding": 32 }'), "n_epochs=5")).toMatchObject({ embedding: 32 });
  });

  test("problems of all sources come at once; what a stronger source repairs is none", async () => {
    const file = write("json", '{ "batchSize": 0, "momentum": 5, "layrs": [1] }');
    const problems = await problemsOf(() => merge(file, "batch_size=8,n_sample", { sigma: -1 }));
    expect(problems.map(({ path }) => path)).toEqual(["layrs", "n_sample", "momentum", "sigma"]);
  });
});
