// The names of things: branded integers, so that a player can not be passed where a node is meant.
//
// All are safe non-negative integers. Zero is never issued, so a codec may use it for "none".

export type NodeId = number & { readonly brand: 'NodeId' };
export type PlayerId = number & { readonly brand: 'PlayerId' };
export type ItemId = number & { readonly brand: 'ItemId' };
/** A log-in: the index of the log entry that opened it, hence unique in the whole world. */
export type SessionId = number & { readonly brand: 'SessionId' };

export function nodeId(value: number): NodeId {
  return value as NodeId;
}
export function playerId(value: number): PlayerId {
  return value as PlayerId;
}
export function itemId(value: number): ItemId {
  return value as ItemId;
}
