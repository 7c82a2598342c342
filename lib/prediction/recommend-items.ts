import { isList, packSessions, type ItemId, type SessionItems } from "../data";
import { checkOptions, expected, Gru4RecError } from "../errors";
import { CHOICE_OPTIONS, readChoice, type ChoiceOptions } from "./item-choice";
import { rankSessions, type RankingModel } from "./rank-sessions";
import type { Recommendations } from "./recommendations";

/** What sessions may be recommended. */
export interface RecommendOptions<Id extends ItemId = ItemId> extends ChoiceOptions<Id> {
  /** Stops the call within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

const RECOMMEND_OPTIONS = [...CHOICE_OPTIONS, "signal"];

/** Ranks items as the next event of one session, or of each of several. */
export async function recommendItems(
  model: RankingModel,
  input: SessionItems | readonly SessionItems[],
  options: RecommendOptions,
): Promise<Recommendations | Recommendations[]> {
  if (!isList(input))
    throw new Gru4RecError("ERR_ARGUMENT", expected("session", "an array of item ids or of sessions", input));
  checkOptions(options, RECOMMEND_OPTIONS);
  const several = isList(input[0]);
  const sessions = several ? (input as readonly SessionItems[]) : [input as SessionItems];
  const choice = readChoice(model.vocabulary, options, sessions.length);
  const packed = packSessions(model.vocabulary, sessions, several ? undefined : () => "session");
  const lists = await rankSessions(model, packed, choice, options.signal);
  return several ? lists : lists[0]!;
}
