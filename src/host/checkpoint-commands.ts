// The operator's commands for checkpoints: what they print, and when they refuse.
//
// The CLI calls them; `restoring.ts` does the work on the folder. Exit codes as for all commands.
import { askControl } from '../adapters/node/control.ts';
import type { Terminal } from '../adapters/node/terminal.ts';
import type { RestoreTarget } from '../runtime/copy-restore.ts';
import { ask, type AskOptions, refuse } from './ask.ts';
import {
  type CopyCheckpoints,
  checkpointsOf,
  featuresIn,
  findRestorable,
  holdersOf,
  restoreRegion,
  type WaitingJobs,
} from './restoring.ts';

export interface RegionOptions extends AskOptions {
  /** `undefined`: all regions. */
  readonly region: string | undefined;
}

export interface RestoreWish extends AskOptions {
  readonly region: string;
  readonly target: RestoreTarget;
  readonly isForced: boolean;
}

/** Asks the running nodes to save, and waits until they have. */
export async function takeCheckpoints(options: RegionOptions, terminal: Terminal): Promise<number> {
  const { region, isJson } = options;
  const question = { kind: 'checkpoint', ...(region === undefined ? {} : { region }) } as const;
  const answer = await ask(options, question, terminal);
  if (answer?.kind !== 'acted') return refuse(answer, terminal);
  if (isJson) terminal.print(`${JSON.stringify(answer.deeds)}\n`);
  else for (const { text } of answer.deeds) terminal.print(`${text}\n`);
  return answer.deeds.every(({ done }) => done) ? 0 : 1;
}

/** 1 when any of them is damaged or foreign. */
export function listAll({ folder, region, isJson }: RegionOptions, terminal: Terminal): number {
  const all = checkpointsOf(folder, region);
  if (isJson) terminal.print(`${JSON.stringify(all.map(shown))}\n`);
  else for (const line of all.flatMap(lines)) terminal.print(`${line}\n`);
  return all.every(({ files }) => files.every(({ condition }) => condition === 'whole')) ? 0 : 1;
}

export async function restore(wish: RestoreWish, terminal: Terminal): Promise<number> {
  const { folder, region, target, isForced, isJson } = wish;
  const holders = holdersOf(folder, region);
  const wanted = { target, features: await featuresIn(folder) };
  const isRunning = (await askControl(folder, { kind: 'status' })).kind !== 'nobody';
  if (isRunning && !isForced) {
    terminal.note(
      `The world in ${folder} runs: stop it first, or add --force, which ends ${holders.join(', ')} ` +
        'and starts them again when the region is restored; the other regions of which they hold copies ' +
        'stand still meanwhile, for some seconds, and players at these gateways have to come back.\n',
    );
    return 1;
  }
  // What can be refused is refused before anybody is ended for it.
  const looked = isRunning ? findRestorable(folder, region, wanted) : undefined;
  if (looked?.kind === 'refused') {
    terminal.note(`${looked.sentence}\n`);
    return 1;
  }
  // At once: to end in order they would look for heirs of their regions among each other, for longer than
  // all of this takes, and what they have acknowledged is on their disks.
  if (isRunning) await ask(wish, { kind: 'kill', nodes: holders }, terminal);
  try {
    const restored = restoreRegion(folder, region, wanted);
    if (restored.kind === 'refused') {
      terminal.note(`${restored.sentence}\n`);
      return 1;
    }
    const { sequence, timeMs, goesOnAt, aside, jobs } = restored;
    const at = new Date(timeMs).toISOString();
    const told = { region, sequence, timeMs, goesOnAt, aside, jobs };
    if (isJson) terminal.print(`${JSON.stringify(told)}\n`);
    else {
      terminal.print(`${region} is as it was at entry ${sequence} (${at}); its log goes on at ${goesOnAt}\n`);
      for (const before of aside) terminal.print(`what was there is kept in ${before}\n`);
      for (const line of jobLines(jobs)) terminal.print(`${line}\n`);
    }
    return 0;
  } finally {
    if (isRunning) await ask(wish, { kind: 'restart', nodes: holders }, terminal);
  }
}

/** What the operator must know of jobs whose answers may belong to what is no more. */
export function jobLines({ asked, unasked }: WaitingJobs): readonly string[] {
  const lines: string[] = [];
  if (asked > 0) {
    const waiting = asked === 1 ? '1 job waits' : `${asked} jobs wait`;
    lines.push(
      `${waiting} for the economy: what it has answered after that place ends as "went-back", ` +
        'what it took stays taken, and nothing is made twice',
    );
  }
  const more = unasked === 1 ? '1 more job' : `${unasked} more jobs`;
  if (unasked > 0) lines.push(`${more} could not be asked about, and may wait for ever`);
  return lines;
}

function shown({ region, node, files }: CopyCheckpoints): object {
  return {
    region,
    node,
    checkpoints: files.map(({ name, bytes, condition, mark, fault }) => ({
      file: name,
      bytes,
      condition,
      epoch: mark?.term,
      sequence: mark?.index,
      timeMs: mark?.timeMs,
      fault,
    })),
  };
}

function lines({ region, node, files }: CopyCheckpoints): readonly string[] {
  const head = `${region} at ${node}${files.length === 0 ? ': no checkpoint' : ''}`;
  return [
    head,
    ...files.map(({ name, bytes, condition, mark, fault }) => {
      if (mark === undefined) return `  ${condition}: ${fault} (${name}, ${bytes.toLocaleString('en')} B)`;
      const at = new Date(mark.timeMs).toISOString();
      const place = `entry ${mark.index} of epoch ${mark.term}`;
      return `  ${place}, ${at}, ${bytes.toLocaleString('en')} B, ${condition}`;
    }),
  ];
}
