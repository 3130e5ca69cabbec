// Events over the links between nodes: the embedded carrier, which needs no engine.
//
// `event-pump` publishes. A batch is a command of the destination's log, asked on the same way as players'
// commands are: the route finds who leads or is primary there, at a quorum of copies. So an event is as
// safe as any command when it counts as taken, and no part of it is kept anywhere but in the two logs.
import { InvalidInputError } from '../../base/errors.ts';
import type { Events, Published } from '../../runtime/ports.ts';
import { deliverEvents, type EventBatch } from '../../wire/events.ts';
import { ASK_DEADLINE_MS, type Route, type RouteAnswer } from '../calls/route.ts';
import { serviceCommand, serviceValue } from '../calls/service-calls.ts';

const DELIVER = { name: 'events.deliver', shape: deliverEvents };

export class PeerEvents implements Events {
  readonly #route: Route;

  constructor(route: Route) {
    this.#route = route;
  }

  publish({ origin, to, events }: EventBatch, told: (published: Published) => void): void {
    this.#route.ask({
      group: to,
      mode: 'command',
      body: serviceCommand(DELIVER, { origin, events }),
      deadlineMs: ASK_DEADLINE_MS,
      answer: (answer) => told(publishedBy(answer)),
    });
  }
}

function publishedBy(answer: RouteAnswer): Published {
  if (answer.kind !== 'answered') return { kind: 'unknown' };
  try {
    const taken = serviceValue(DELIVER, answer.reply);
    return taken === undefined ? { kind: 'unknown' } : { kind: 'taken', ...taken };
  } catch (cause) {
    // Whoever answers so is of another version; the next attempt may meet one of ours.
    if (!(cause instanceof InvalidInputError)) throw cause;
    return { kind: 'unknown' };
  }
}
