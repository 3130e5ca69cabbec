// The person at the keyboard: what they see, and how they ask us to stop.
//
// The CLI opens it and hands it to `host/`. Colours only where a terminal shows them and NO_COLOR does
// not forbid them (`styleText` of Node decides, per stream).
import { styleText } from 'node:util';

export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'warning' | 'bad';

const STYLES = {
  plain: 'reset',
  strong: 'bold',
  faint: 'dim',
  good: 'green',
  warning: 'yellow',
  bad: 'red',
} as const;

export interface Terminal {
  /** Whether results go to a terminal that can be redrawn. */
  readonly isLive: boolean;
  readonly columns: number;
  readonly rows: number;
  /** The results: standard output. */
  print(text: string): void;
  /** Progress and complaints: standard error. */
  note(text: string): void;
  paint(tone: Tone, text: string): string;
  /**
   * Calls `stop` at every Ctrl-C, SIGTERM and SIGHUP from now on; the process no longer ends by itself
   * then. Returns how to undo that.
   */
  onStop(stop: () => void): () => void;
}

const COLUMNS_WHEN_UNKNOWN = 80;
const ROWS_WHEN_UNKNOWN = 24;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function openTerminal(): Terminal {
  // A closed pipe (`| head`) or a terminal that went away is no reason to leave a world unattended.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  return {
    isLive: process.stdout.isTTY === true && process.env['TERM'] !== 'dumb',
    get columns() {
      return process.stdout.columns || COLUMNS_WHEN_UNKNOWN;
    },
    get rows() {
      return process.stdout.rows || ROWS_WHEN_UNKNOWN;
    },
    print: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(text),
    paint: (tone, text) =>
      tone === 'plain' || text === '' ? text : styleText(STYLES[tone], text, { stream: process.stdout }),
    onStop: (stop) => {
      for (const signal of STOP_SIGNALS) process.on(signal, stop);
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, stop);
      };
    },
  };
}
