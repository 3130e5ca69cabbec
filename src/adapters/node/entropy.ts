// The machine's source of unguessable bytes behind the `Entropy` port.
//
// Gateways draw nonces from it, and the handshake between nodes likewise.
import { randomFillSync } from 'node:crypto';

import type { Entropy } from '../../runtime/ports.ts';

export const systemEntropy: Entropy = {
  bytes: (count) => randomFillSync(new Uint8Array(count)),
};
