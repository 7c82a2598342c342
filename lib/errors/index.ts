export { aborted, untilAborted } from "./aborted";
export { checkInteger, checkOptions } from "./check";
export { describeValue, expected, reason, shorten } from "./expected";
export { fileReason, unreadable } from "./file-errors";
export { ConfigError, ERROR_CODES, Gru4RecError, type ErrorCode, type Problem } from "./gru4rec-error";
