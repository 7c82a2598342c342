import { Gru4RecError, reason } from "../errors";
import type { NativeAddon } from "./addon";
import { PACKAGE_ROOT } from "./package";

let addon: NativeAddon | undefined;

/**
 * The native addon, loaded when first needed: build/Release/gru4rec.node, else the one of this platform in prebuilds/.
 * @throws {@link Gru4RecError} `ERR_DEVICE` when there is none or it does not load.
 */
export function loadAddon(): NativeAddon {
  if (addon === undefined) {
    try {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- a binary has no import
      const load = require("node-gyp-build") as (root: string) => NativeAddon;
      addon = load(PACKAGE_ROOT);
    } catch (error) {
      const platform = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
      const message =
        `Expected the native addon for ${platform} in build/Release or prebuilds of ${PACKAGE_ROOT} but ` +
        `${reason(error)}; run \`npm run build\` there to build it`;
      throw new Gru4RecError("ERR_DEVICE", message, { cause: error });
    }
  }
  return addon;
}
