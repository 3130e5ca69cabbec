// `bluemarble verify`: judges a recorded history, with progress on a terminal.
//
// `main` registers it. Exit codes of its own: a script must tell a broken promise from a check that
// could not be brought to an end.
import type { Command } from 'commander';
import type { Terminal } from '../adapters/node/terminal.ts';
import type { History } from '../verify/history.ts';
import { wholeNumber } from './options.ts';

const EXIT_CODES = { ok: 0, violated: 1, unknown: 3 } as const;
const EXIT_UNUSABLE = 2;
const STATES_MAX = 1_000_000_000;
const PROGRESS_EVERY_MS = 200;

interface VerifyOptions {
  readonly model?: string;
  readonly states?: number;
  readonly json: boolean;
}

export function verifyCommand(program: Command): void {
  program
    .command('verify')
    .summary('judge a recorded history')
    .description('Checks a recorded history: linearizable by its model, and every invariant.')
    .argument('<file>', 'the history, as JSON lines (docs/histories.md)')
    .option(
      '--model <name>',
      'register, counter, bank, ownership, lock, list, regional or log; none for invariants only; ' +
        'else what the file says',
    )
    .option('--states <n>', 'states that the search may explore in each part', wholeNumber(0, STATES_MAX))
    .option('--json', 'print the report as one line of JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  bluemarble verify history.jsonl
  bluemarble verify history.jsonl --model bank --json

Exit codes: 0 everything holds; 1 violated; 2 wrong usage, or a file that can not be used;
3 unknown, because the budget of states ended first, or because there was nothing to check.`,
    )
    .action(async (file: string, options: VerifyOptions) => {
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      process.exitCode = await verify(file, options, openTerminal());
    });
}

async function verify(file: string, options: VerifyOptions, terminal: Terminal): Promise<number> {
  const { InvalidInputError } = await import('../base/errors.ts');
  const { describeReport, NO_MODEL, reportOf } = await import('../verify/report.ts');
  const progress = progressOn(terminal);
  try {
    const history = await readHistory(file, progress);
    // Nothing was written down, not even for which model: nothing to check, as under any of them.
    const isEmpty = history.operations.length + history.failed === 0;
    const model = options.model ?? history.model ?? (isEmpty ? NO_MODEL : undefined);
    if (model === undefined) {
      throw new InvalidInputError('it names no model in its first line: name one with --model');
    }
    const report = reportOf(history, model, {
      ...(options.states === undefined ? {} : { statesMax: options.states }),
      onPart: (done, parts) => progress(`${done} of ${parts} parts checked`),
    });
    progress('', true);
    const text = options.json ? JSON.stringify(report) : describeReport(report).join('\n');
    terminal.print(`${text}\n`);
    return EXIT_CODES[report.verdict];
  } catch (cause) {
    progress('', true);
    if (!(cause instanceof InvalidInputError)) throw cause;
    terminal.note(`${file} can not be judged: ${cause.message}.\n`);
    return EXIT_UNUSABLE;
  }
}

async function readHistory(file: string, progress: Progress): Promise<History> {
  const { readLines } = await import('../adapters/node/history-file.ts');
  const { HistoryReader, LINE_LENGTH_MAX } = await import('../verify/history.ts');
  const reader = new HistoryReader();
  for (const { lines, bytes, bytesTotal } of readLines(file, LINE_LENGTH_MAX)) {
    for (const line of lines) reader.line(line);
    progress(`${reader.lines} lines, ${Math.floor((100 * bytes) / Math.max(1, bytesTotal))} %`);
  }
  return reader.finish();
}

type Progress = (text: string, isNow?: boolean) => void;

/** One line that is written over, a few times a second; nothing where nobody watches. */
function progressOn(terminal: Terminal): Progress {
  let nextMs = 0;
  let length = 0;
  return (text, isNow = false) => {
    if (!terminal.isLive || (!isNow && performance.now() < nextMs)) return;
    nextMs = performance.now() + PROGRESS_EVERY_MS;
    if (length > 0) terminal.note(`\r${' '.repeat(length)}\r`);
    terminal.note(text);
    length = text.length;
  };
}
