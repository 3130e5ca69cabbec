// A player's command as groups and regions get it, once its id has been judged.
//
// `player-session.ts` calls it. What a session may not claim is refused here, before it costs a group.
import { type Decision, done, rejected } from '../../base/errors.ts';
import type { OpenedSession } from '../../wire/calls.ts';
import { encodeCommand } from '../../wire/command.ts';
import { type CommonRefusal, parseCommandId, type PlayerFrame } from '../../wire/player.ts';

export function commandBody(
  { call, commandId, answeredBelow }: PlayerFrame,
  { player, session, expiresAtMs }: OpenedSession,
  args: Uint8Array,
): Decision<Uint8Array, CommonRefusal> {
  const parsed = commandId === undefined ? undefined : parseCommandId(commandId);
  if (parsed === undefined) {
    return rejected('command-id-missing', 'commandId must be "<session>.<number>", with numbers from 1');
  }
  if (parsed.session !== session) return rejected('foreign-command-id');
  if (answeredBelow > parsed.number) {
    return rejected('bad-arguments', "answeredBelow may not be above the command's own number");
  }
  const { number } = parsed;
  const sessionExpiresAtMs = expiresAtMs;
  return done(encodeCommand({ session, sessionExpiresAtMs, number, answeredBelow, player, call, args }));
}
