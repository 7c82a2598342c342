export type { ItemLists } from "./item-choice";
export { predictScores, type PredictOptions } from "./predict-scores";
export { Predictor, type NextOptions, type PredictorOptions } from "./predictor";
export type { RankingModel } from "./rank-sessions";
export {
  LARGEST_BATCH_SIZE,
  recommendAll,
  type RecommendAllOptions,
  type SessionRequest,
  type SessionStream,
} from "./recommend-all";
export { recommendItems, type RecommendOptions } from "./recommend-items";
export type { Recommendations } from "./recommendations";
