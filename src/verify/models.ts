// The stock models by name: those that `bluemarble verify --model` takes.
import { type Checker, checkerOf } from './linearizability.ts';
import { appendList } from './models/append-list.ts';
import { bank } from './models/bank.ts';
import { counter } from './models/counter.ts';
import { lock } from './models/lock.ts';
import { ownership } from './models/ownership.ts';
import { register } from './models/register.ts';

export const stockCheckers: ReadonlyMap<string, Checker> = new Map(
  [
    checkerOf(register),
    checkerOf(counter),
    checkerOf(bank),
    checkerOf(ownership),
    checkerOf(lock),
    checkerOf(appendList),
  ].map((checker) => [checker.name, checker]),
);
