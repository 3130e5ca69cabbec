// Beats, by which region nodes prove to witnesses that they live, and what witnesses answer.
//
// `peer.ts` puts them into frames. They are small and many: five a second from each region node.
import type { ByteReader, ByteWriter } from '../base/bytes.ts';

export type LivenessMessage =
  | {
      readonly kind: 'beat';
      /** Of the process that beats; a later start has a higher one. */
      readonly incarnation: number;
      readonly sequence: number;
    }
  | {
      readonly kind: 'beat-heard';
      readonly incarnation: number;
      readonly sequence: number;
      /** The newest incarnation of the asker that the witness knows. */
      readonly known: number;
      /** False while the witness's word that the asker failed stands. */
      readonly counts: boolean;
    };

export function writeLiveness(writer: ByteWriter, message: LivenessMessage): ByteWriter {
  writer.varint(message.incarnation).varint(message.sequence);
  if (message.kind === 'beat') return writer;
  return writer.varint(message.known).u8(message.counts ? 1 : 0);
}

export function readBeat(reader: ByteReader): LivenessMessage {
  return { kind: 'beat', incarnation: reader.varint(), sequence: reader.varint() };
}

export function readBeatHeard(reader: ByteReader): LivenessMessage {
  return {
    kind: 'beat-heard',
    incarnation: reader.varint(),
    sequence: reader.varint(),
    known: reader.varint(),
    counts: reader.u8() === 1,
  };
}
