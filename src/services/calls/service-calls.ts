// Commands and queries that our own services ask of a log: no player, no session, harmless when repeated.
import type { Shape } from '../../wire/call-shape.ts';
import { decodeReply, encodeCommand, encodeQuery } from '../../wire/command.ts';
import { decodeWith, encodeWith } from '../../wire/schema.ts';

const NOBODY = { session: 0, sessionExpiresAtMs: 0, number: 0, answeredBelow: 0, player: 0 };

/** A call by name, together with its description. */
export interface ServiceCall<Args, Value> {
  readonly name: string;
  readonly shape: Shape<Args, Value>;
}

export function serviceCommand<Args>(call: ServiceCall<Args, unknown>, args: Args): Uint8Array {
  return encodeCommand({ ...NOBODY, call: call.name, args: encodeWith(call.shape.args, args) });
}

export function serviceQuery<Args>(call: ServiceCall<Args, unknown>, args: Args): Uint8Array {
  return encodeQuery({ player: 0, call: call.name, args: encodeWith(call.shape.args, args) });
}

/** `undefined` for a refusal. Throws `InvalidInputError` for bytes that are no reply to this call. */
export function serviceValue<Args, Value>(
  call: ServiceCall<Args, Value>,
  bytes: Uint8Array,
): Value | undefined {
  const reply = decodeReply(bytes);
  return reply.kind === 'done' ? decodeWith(call.shape.value, reply.value) : undefined;
}
