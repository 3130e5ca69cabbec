// The three copies of one region as they run in three processes: driver, journal, checkpoints, links and
// disks, in virtual time. The state machine adds up numbers and tells player 1 each sum; it takes a state
// over in several steps.
import assert from 'node:assert/strict';
import { ByteReader, ByteWriter } from '../../src/base/bytes.ts';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import type { Promised } from '../../src/protocols/primary/messages.ts';
import type { StateMachine } from '../../src/protocols/state-machine.ts';
import { COPY_LIMITS, type CopyLimits } from '../../src/runtime/copy-machine.ts';
import type { Peers } from '../../src/runtime/ports.ts';
import { ReplicaSet } from '../../src/runtime/replica-set.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';
import type { AckLevel, ReadBound } from '../../src/wire/levels.ts';
import { decodePeerMessage, type GroupAnswer } from '../../src/wire/peer.ts';
import type { Tapped } from '../../src/wire/tap.ts';
import { openCopyStorage } from './copy-storage.ts';
import { MemoryNetwork } from './memory-peers.ts';
import { VirtualClock } from './virtual-clock.ts';

export const COPIES: readonly NodeId[] = [6, 7, 8].map(nodeId);
export const REGION = 101;

export function summing(): StateMachine {
  let sum = 0;
  const bytes = (): Uint8Array => new ByteWriter().varint(sum).finish();
  return {
    apply: ({ command }) => {
      sum += new ByteReader(command).varint();
      return { reply: bytes(), notices: [{ player: 1, push: 'sum', value: sum }] };
    },
    query: bytes,
    snapshot: bytes,
    restore: (snapshot) => {
      sum = new ByteReader(snapshot).varint();
    },
    *restoreInSlices(snapshot) {
      const read = new ByteReader(snapshot).varint();
      for (let step = 0; step < 5; step++) yield undefined;
      sum = read;
      return undefined;
    },
  };
}

interface Running {
  readonly set: ReplicaSet;
  readonly peers: Peers;
  readonly failures: unknown[];
}

export class Copies {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly disks: Map<NodeId, VirtualDisk> = new Map(COPIES.map((id) => [id, new VirtualDisk()]));
  readonly running: Map<NodeId, Running> = new Map();
  readonly told: unknown[] = [];
  readonly logged: string[] = [];
  /** What each life of each copy applied, in its order. */
  readonly tapped: { readonly node: string; readonly entries: Tapped[] }[] = [];
  readonly limits: CopyLimits;
  #life = 0;

  constructor(limits: Partial<CopyLimits> = {}) {
    this.limits = { ...COPY_LIMITS, ...limits };
    for (const id of COPIES) this.start(id);
    this.clock.advance(500);
  }

  start(id: NodeId, machine: StateMachine = summing()): ReplicaSet {
    const disk = this.disks.get(id) as VirtualDisk;
    const peers = this.network.join(id);
    const failures: unknown[] = [];
    const entries: Tapped[] = [];
    this.tapped.push({ node: String(id), entries });
    const set = new ReplicaSet({
      number: REGION,
      name: 'eu',
      self: id,
      copies: COPIES,
      machine,
      storage: openCopyStorage(disk),
      clock: this.clock,
      peers,
      logger: { log: (_, event) => this.logged.push(event) },
      life: ++this.#life,
      limits: this.limits,
      lease: 'always',
      onNotices: (notices) => this.told.push(...notices.map(({ value }) => value)),
      fail: (cause) => failures.push(cause),
      tap: (log, entry) => {
        assert.equal(log, 'eu');
        entries.push(entry);
      },
    });
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'region') set.receive(from, message.body);
      },
      up: (node) => set.peerUp(node),
      lost: () => {},
    });
    set.start();
    this.running.set(id, { set, peers, failures });
    return set;
  }

  /** What a SIGKILL leaves: nothing runs on, and what was not synced may be lost. */
  kill(id: NodeId): void {
    const { set, peers } = this.#of(id);
    set.stop();
    void peers.close();
    for (const other of COPIES) if (other !== id) this.network.cut(id, other);
    this.disks.set(id, (this.disks.get(id) as VirtualDisk).crashed(new Random(this.#life)));
    this.running.delete(id);
  }

  restart(id: NodeId): ReplicaSet {
    const set = this.start(id);
    for (const other of COPIES) if (other !== id) this.network.mend(id, other);
    return set;
  }

  set(id: NodeId): ReplicaSet {
    return this.#of(id).set;
  }

  propose(id: NodeId, value: number, level?: AckLevel): GroupAnswer[] {
    const answers: GroupAnswer[] = [];
    const command = new ByteWriter().varint(value).finish();
    this.set(id).propose(command, (answer) => answers.push(answer), level);
    return answers;
  }

  ask(id: NodeId, bound?: ReadBound): GroupAnswer[] {
    const answers: GroupAnswer[] = [];
    this.set(id).query(new Uint8Array(), (answer) => answers.push(answer), bound);
    return answers;
  }

  /** Does what placement does: fences the region and appoints the longest log of those that answer. */
  promote(epoch: number): NodeId {
    const promises: { readonly node: NodeId; readonly promised: Promised }[] = [];
    for (const [node, { set }] of this.running) {
      set.promise(epoch, (promised) => promises.push({ node, promised }));
    }
    this.clock.advance(20);
    const counted = promises.filter(({ promised }) => !promised.isBlank);
    assert.ok(counted.length >= 2, 'a majority has promised');
    const [best] = counted.sort(
      (a, b) =>
        b.promised.lastEpoch - a.promised.lastEpoch ||
        b.promised.lastSequence - a.promised.lastSequence ||
        a.node - b.node,
    );
    assert.ok(best);
    const start = best.promised.lastSequence;
    for (const { set } of this.running.values()) {
      set.lease(epoch, Number.POSITIVE_INFINITY);
      set.appoint({ epoch, primary: best.node, start });
    }
    return best.node;
  }

  healthy(): void {
    for (const { failures } of this.running.values()) assert.deepEqual(failures, []);
  }

  #of(id: NodeId): Running {
    const running = this.running.get(id);
    assert.ok(running, `node ${id} runs`);
    return running;
  }
}

export function sumIn(answers: readonly GroupAnswer[]): number {
  const [answer] = answers;
  assert.equal(answers.length, 1, 'answered once');
  assert.equal(answer?.kind, 'answered');
  return answer?.kind === 'answered' ? new ByteReader(answer.reply).varint() : Number.NaN;
}
