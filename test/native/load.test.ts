import type { NativeAddon } from "../../lib/native";

const loadFresh = () => {
  let load!: () => NativeAddon;
  jest.isolateModules(() => {
    ({ loadAddon: load } = jest.requireActual<{ loadAddon: () => NativeAddon }>("../../lib/native/load"));
  });
  return load;
};

afterEach(() => jest.dontMock("node-gyp-build"));

test("the addon of this package is loaded once", () => {
  const load = loadFresh();
  expect(Object.keys(load()).sort()).toEqual(["Cancellation", "Model", "estimateMemory", "listDevices"]);
  expect(load()).toBe(load());
});

test("an addon that is not there is an error that says what was looked for and what to run", () => {
  jest.doMock("node-gyp-build", () => () => {
    throw new Error("No native build was found for platform=linux\n    loaded from: somewhere");
  });
  const message =
    /^Expected the native addon for .*, Node .* in build\/Release or prebuilds of .* but No native build was found for platform=linux; run `npm run build` there to build it$/;
  const error = { name: "Gru4RecError", code: "ERR_DEVICE", message: expect.stringMatching(message) as string };
  expect(loadFresh()).toThrow(expect.objectContaining(error) as Error);
});
