export { predictScores, type PredictOptions } from "./predict-scores";
export { recommendItems, type Recommendations, type RecommendOptions } from "./recommend-items";
