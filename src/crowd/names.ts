// What the test players are called: always the same for the same world, seed and number.
//
// A second run over the same data finds its accounts again by them. The passwords are no secret: whoever
// can start a crowd owns the world anyway.
import { Random } from '../base/random.ts';
import type { LogIn } from '../wire/calls.ts';

const FIRST = ['Al', 'Be', 'Ca', 'Do', 'El', 'Fa', 'Gi', 'Ha', 'In', 'Jo', 'Ka', 'Li', 'Mo', 'Nu'];
const LAST = ['bert', 'dan', 'fred', 'gard', 'lena', 'mar', 'nia', 'rik', 'ros', 'tina', 'vin', 'za'];

/** The account of the player with this number, from 1. */
export function accountOf(who: { world: string; seed: number; number: number }): LogIn {
  const { world, seed, number } = who;
  return { name: `walker-${seed}-${number}`, password: `${world}-${seed}-${number}` };
}

/** The name he claims in the world, unique among all seeds and numbers. */
export function worldNameOf(who: { seed: number; number: number }): string {
  const { seed, number } = who;
  const random = new Random(`name/${seed}/${number}`);
  const name = `${random.pick(FIRST) ?? ''}${random.pick(LAST) ?? ''}`;
  return `${name} ${seed.toString(36)}-${number}`;
}
