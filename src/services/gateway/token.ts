// The token that proves a log-in to any gateway: the session's facts and a tag over them.
//
// Only holders of the world's key can make one. It is no secret from its owner, carries nothing else,
// and is never logged. Text form: base64url of length, facts and tag.
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { InvalidInputError } from '../../base/errors.ts';
import type { Secrets } from '../../runtime/ports.ts';
import type { OpenedSession } from '../../wire/calls.ts';

const TOKEN_VERSION = 1;
const FACTS_BYTES_MAX = 64;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function issueToken(secrets: Secrets, session: OpenedSession): string {
  const facts = new ByteWriter(FACTS_BYTES_MAX)
    .u8(TOKEN_VERSION)
    .varint(session.player)
    .varint(session.session)
    .varint(session.expiresAtMs)
    .finish();
  const whole = new ByteWriter().bytes(facts).raw(secrets.sign(facts)).finish();
  return toBase64Url(whole);
}

/** `undefined` for any text that `issueToken` did not make with this world's key. */
export function readToken(secrets: Secrets, token: string): OpenedSession | undefined {
  try {
    const reader = new ByteReader(fromBase64Url(token));
    const facts = reader.bytes(FACTS_BYTES_MAX);
    if (!secrets.verify(facts, reader.raw(reader.remaining))) return undefined;
    return readFacts(facts);
  } catch (cause) {
    if (cause instanceof InvalidInputError) return undefined;
    throw cause;
  }
}

function readFacts(facts: Uint8Array): OpenedSession {
  const reader = new ByteReader(facts);
  const version = reader.u8();
  if (version !== TOKEN_VERSION) throw new InvalidInputError(`token version ${version}`);
  const session: OpenedSession = {
    player: reader.varint(),
    session: reader.varint(),
    expiresAtMs: reader.varint(),
  };
  reader.end();
  return session;
}

// By hand, because this floor knows neither Node's Buffer nor a browser's btoa.
function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += DIGITS.charAt((held >> bits) & 63);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + DIGITS.charAt((held << (6 - bits)) & 63);
}

function fromBase64Url(text: string): Uint8Array {
  const writer = new ByteWriter(text.length);
  let bits = 0;
  let held = 0;
  for (const digit of text) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) throw new InvalidInputError('a token is base64url');
    held = (held << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    writer.u8((held >> bits) & 255);
    held &= (1 << bits) - 1;
  }
  if (held !== 0 || bits >= 6) throw new InvalidInputError('a token has no loose bits');
  return writer.finish();
}
