// What a person or a script sees of a running world: a live screen, plain lines, the report.
//
// `up.ts` tells it what happens. On a terminal the screen is redrawn in place; elsewhere there is a line
// a second, or every five in a long run, and one for each event. With `--json` all of that goes to
// standard error, and standard output is the report alone.
import type { Terminal } from '../adapters/node/terminal.ts';
import { paintLine } from './lines.ts';
import { describeReport, type Report } from './report.ts';
import { renderPlain, renderScreen } from './screen.ts';
import type { WorldView } from './view.ts';

const EVENTS_KEPT_MAX = 8;
const LONG_RUN_MS = 60_000;
const LINE_EVERY_MS = 1_000;
const LINE_EVERY_MS_IN_LONG_RUN = 5_000;

const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l';
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_TO_END_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

export class Show {
  readonly #terminal: Terminal;
  readonly #isJson: boolean;
  readonly #isLive: boolean;
  readonly #lineEveryMs: number;
  readonly #events: string[] = [];
  #isOnScreen = false;
  #lineAtMs = 0;

  constructor(terminal: Terminal, o: { readonly isJson: boolean; readonly forMs: number | undefined }) {
    this.#terminal = terminal;
    this.#isJson = o.isJson;
    this.#isLive = terminal.isLive && !o.isJson;
    const isLong = o.forMs === undefined || o.forMs > LONG_RUN_MS;
    this.#lineEveryMs = isLong ? LINE_EVERY_MS_IN_LONG_RUN : LINE_EVERY_MS;
  }

  /** A step on the way to a running world, or out of it. */
  progress(text: string): void {
    if (this.#isOnScreen) this.event(text);
    else this.#terminal.note(`${text}\n`);
  }

  /** Something that an operator wants to read now. */
  event(text: string): void {
    this.#events.push(text);
    if (this.#events.length > EVENTS_KEPT_MAX) this.#events.shift();
    if (!this.#isOnScreen) this.#line(text);
  }

  view(view: WorldView): void {
    if (this.#isLive) {
      this.#draw(view);
    } else if (view.upMs >= this.#lineAtMs) {
      // Looks come a little early or late: half an interval of tolerance keeps lines regular.
      this.#lineAtMs = view.upMs + this.#lineEveryMs - LINE_EVERY_MS / 2;
      this.#line(renderPlain(view));
    }
  }

  /** Gives the terminal back; what comes later is plain lines. */
  leaveScreen(): void {
    if (!this.#isOnScreen) return;
    this.#isOnScreen = false;
    this.#terminal.print(LEAVE_SCREEN);
  }

  report(report: Report): void {
    this.leaveScreen();
    if (this.#isJson) {
      this.#terminal.print(`${JSON.stringify(report)}\n`);
      return;
    }
    const lines = describeReport(report).map((line) => paintLine(line, this.#terminal.paint));
    this.#terminal.print(`${lines.join('\n')}\n`);
  }

  #draw(view: WorldView): void {
    const { columns, rows, paint } = this.#terminal;
    const lines = renderScreen(view, this.#events, { columns, rows })
      .map((line) => `${paintLine(line, paint)}${CLEAR_TO_END_OF_LINE}`)
      .join('\r\n');
    const enter = this.#isOnScreen ? '' : ENTER_SCREEN;
    this.#isOnScreen = true;
    // One write for the whole screen, over the old one: nothing flickers.
    this.#terminal.print(`${enter}${HOME}${lines}${CLEAR_BELOW}`);
  }

  #line(text: string): void {
    if (this.#isJson) this.#terminal.note(`${text}\n`);
    else this.#terminal.print(`${text}\n`);
  }
}
