// The operator's commands: ask the supervisor of the world in a folder, show what it answers.
//
// `bluemarble status`, `kill`, `partition` and their like are these functions. The exit code is 0 when it
// was done, 1 when it was not or no world runs there, 2 when what was asked makes no sense in that world.
import { askControl } from '../adapters/node/control.ts';
import type { Terminal } from '../adapters/node/terminal.ts';
import { paintLine } from './lines.ts';
import type { Answer, NodeAction, Question } from './operator.ts';
import { renderScreen } from './screen.ts';

const EXIT_NOT_DONE = 1;
const EXIT_USAGE = 2;

export interface AskOptions {
  /** The world's folder, absolute. */
  readonly folder: string;
  readonly isJson: boolean;
}

/** Shows the world as it is now. */
export async function showStatus(options: AskOptions, terminal: Terminal): Promise<number> {
  const answer = await ask(options, { kind: 'status' }, terminal);
  if (answer?.kind !== 'status') return refuse(answer, terminal);
  const { view } = answer;
  if (options.isJson) {
    terminal.print(`${JSON.stringify(view)}\n`);
    return 0;
  }
  const lines = renderScreen(view, [], { columns: terminal.columns, rows: Infinity });
  terminal.print(`${lines.map((line) => paintLine(line, terminal.paint)).join('\n')}\n`);
  return 0;
}

/** Does something to nodes; 1 when any of them was in no state for it. */
export async function actOnNodes(
  action: NodeAction,
  nodes: readonly string[],
  options: AskOptions,
  terminal: Terminal,
): Promise<number> {
  const answer = await ask(options, { kind: action, nodes }, terminal);
  if (answer?.kind !== 'acted') return refuse(answer, terminal);
  const { deeds } = answer;
  if (options.isJson) terminal.print(`${JSON.stringify(deeds)}\n`);
  else for (const { text } of deeds) terminal.print(`${text}\n`);
  return deeds.every(({ done }) => done) ? 0 : 1;
}

/** Hands leadership over, or replaces a node for good. */
export async function changeMembers(
  question: Extract<Question, { readonly kind: 'transfer' | 'promote' | 'replace' }>,
  options: AskOptions,
  terminal: Terminal,
): Promise<number> {
  const answer = await ask(options, question, terminal);
  if (answer?.kind !== 'acted') return refuse(answer, terminal);
  const { deeds } = answer;
  if (options.isJson) terminal.print(`${JSON.stringify(deeds)}\n`);
  else for (const { text } of deeds) terminal.print(`${text}\n`);
  return 0;
}

/** Does something to the links between nodes. */
export async function actOnNetwork(
  question: Extract<Question, { readonly kind: 'partition' | 'heal' }>,
  options: AskOptions,
  terminal: Terminal,
): Promise<number> {
  const answer = await ask(options, question, terminal);
  if (answer?.kind !== 'network') return refuse(answer, terminal);
  const { text, faults } = answer;
  terminal.print(`${options.isJson ? JSON.stringify({ text, faults }) : text}\n`);
  return 0;
}

/** Asks the supervisor; says so and answers `undefined` when nobody does. */
export async function ask(
  { folder }: AskOptions,
  question: Question,
  terminal: Terminal,
): Promise<Answer | undefined> {
  const reply = await askControl(folder, question);
  switch (reply.kind) {
    case 'answered':
      // Only the owner of the folder can serve its socket, with this same program.
      return reply.answer as Answer;
    case 'nobody':
      terminal.note(`No world runs in ${folder}: start one with \`bluemarble up\`.\n`);
      return undefined;
    case 'silent':
      terminal.note(`The world in ${folder} does not answer: its supervisor is stuck or paused.\n`);
      return undefined;
  }
}

/** The exit code of what was not done, whose reason it shows. */
export function refuse(answer: Answer | undefined, terminal: Terminal): number {
  if (answer?.kind !== 'refused') return EXIT_NOT_DONE;
  terminal.note(`${answer.sentence}\n`);
  return answer.isUsage === true ? EXIT_USAGE : EXIT_NOT_DONE;
}
