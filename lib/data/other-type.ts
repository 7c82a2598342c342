/**
 * The item of an event that is of none of the wanted types, in logs on their way to a preparation alone. Such events only
 * count for the gaps between sessions.
 */
export const OTHER_TYPE = -1;
