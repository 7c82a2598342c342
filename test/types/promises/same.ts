/** True where two types are the same, not merely assignable: `true satisfies Same<typeof value, string>`. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
