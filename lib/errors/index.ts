export { aborted, untilAborted } from "./aborted";
export { checkInteger, checkOptions, namesOf } from "./check";
export { describeValue, expected, reason, shorten } from "./expected";
export { fileReason, unreadable } from "./file-errors";
export { unknownName } from "./nearest";
export { ConfigError, ERROR_CODES, Gru4RecError, type ErrorCode, type Problem } from "./gru4rec-error";
