// What a client must know of a call that is not the stock world's: how it is repeated, and who answers it.
//
// `world/player-calls` makes the table out of a studio's features, `bluemarble/client` is handed it. It is
// plain data, so that a browser needs nothing of the features themselves.

export interface OwnCall {
  /** A command is repeated under its own command id and applied at most once, a query is repeated at will. */
  readonly kind: 'command' | 'query';
  /** Whether a region answers it: then it may name one, a level or a bound. */
  readonly isRegional: boolean;
}

/** By name, `feature.call`. */
export type OwnCalls = Readonly<Record<string, OwnCall>>;
