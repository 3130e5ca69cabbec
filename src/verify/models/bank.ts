// A bank: accounts of one group, between which whole amounts move and which are never overdrawn.
//
// `transfer` {from, to, amount}, `deposit` {to, amount} and `withdraw` {from, amount} are answered with
// nothing, or with {left}: the balance of `from`, or of `to` for a deposit, right afterwards. They are
// rejected as `not-enough-gold`, and a transfer to oneself as `same-account`. `read` with the name of an
// account is answered with its balance, and without one with an object of all balances of the group,
// from which those of zero may be missing. The initial state of a group is such an object.
import type { Initial, Operation } from '../history.ts';
import type { Action, Model, Part, Problem } from '../model.ts';
import {
  amountOf,
  fieldsOf,
  initialOf,
  nameOf,
  Numbering,
  objectOf,
  rejectionOf,
  someOf,
  wholeOf,
} from '../reading.ts';
import { Vector } from '../vector.ts';

const REASONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['transfer', ['not-enough-gold', 'same-account']],
  ['withdraw', ['not-enough-gold']],
]);

/** Balances by the number of the account. */
type Balances = Vector<number>;

interface MoveAction extends Action {
  readonly kind: 'move';
  /** 0 for what comes from outside or goes there. */
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  /** The balance that `account` had right afterwards. */
  readonly left: number | undefined;
  readonly account: number;
  readonly touched: readonly number[];
}
interface RefusedAction extends Action {
  readonly kind: 'refused';
  readonly from: number;
  readonly amount: number;
}
interface ReadAction extends Action {
  readonly kind: 'read';
  readonly accounts: readonly number[];
  readonly balances: readonly number[];
}
type BankAction = MoveAction | RefusedAction | ReadAction;

export const bank: Model<Balances, BankAction> = {
  name: 'bank',
  functions: ['transfer', 'deposit', 'withdraw', 'read'],
  open(part: Part): Problem<Balances, BankAction> {
    const accounts = new Numbering();
    const opening = openingOf(part.initial, part.name);
    for (const [account] of opening) accounts.of(account);
    // All accounts must be known before the first reading of all: those it leaves out are at zero.
    for (const operation of part.operations) nameAccounts(operation, accounts);
    let initial = Vector.filled(accounts.size + 1, 0);
    for (const [account, balance] of opening) initial = initial.with(accounts.of(account), balance);
    return {
      initial,
      actions: part.operations.map((operation) => actionOf(operation, accounts)),
      sameness: 'same-operations',
      places: { touched, against },
      step,
      describe: (state, action) => describe(state, action, accounts),
    };
  },
};

/** The balances that a group begins with, as its init line gives them. */
export function openingOf(initial: Initial, group: string): ReadonlyMap<string, number> {
  const value = initialOf(initial, group);
  if (value === undefined || value === null) return new Map();
  const balances = Object.entries(objectOf('init', value, 'balances by account'));
  return new Map(balances.map(([name, balance]) => [name, amountOf('init', balance, 'balances')]));
}

function step(state: Balances, action: BankAction): Balances | undefined {
  switch (action.kind) {
    case 'move': {
      const { from, to, amount, left, account } = action;
      if (isOverdrawn(state, action)) return undefined;
      let after = from === 0 ? state : state.with(from, state.at(from) - amount);
      if (to !== 0) after = after.with(to, after.at(to) + amount);
      return left === undefined || after.at(account) === left ? after : undefined;
    }
    case 'refused':
      return state.at(action.from) < action.amount ? state : undefined;
    case 'read': {
      const { accounts, balances } = action;
      for (let i = 0; i < accounts.length; i++) {
        if (state.at(accounts[i] ?? 0) !== balances[i]) return undefined;
      }
      return state;
    }
  }
}

function describe(state: Balances, action: BankAction, accounts: Numbering): string {
  return someOf(against(state, action).map((account) => `${accounts.text(account)}: ${state.at(account)}`));
}

function touched(action: BankAction): readonly number[] {
  return action.kind === 'move' ? action.touched : [];
}

function against(state: Balances, action: BankAction): readonly number[] {
  switch (action.kind) {
    case 'move':
      return [isOverdrawn(state, action) ? action.from : action.account];
    case 'refused':
      return [action.from];
    case 'read':
      return action.accounts.filter((account, i) => state.at(account) !== action.balances[i]);
  }
}

function isOverdrawn(state: Balances, { from, amount }: MoveAction): boolean {
  return from !== 0 && state.at(from) < amount;
}

function nameAccounts(operation: Operation, accounts: Numbering): void {
  const { f, input, isKnown, result } = operation;
  if (f !== 'read') {
    const { from, to } = fieldsOf(operation, input, fieldsNeeded(f));
    if (f !== 'deposit') accounts.of(nameOf(operation, from, 'the account "from"'));
    if (f !== 'withdraw') accounts.of(nameOf(operation, to, 'the account "to"'));
  } else if (input !== undefined && input !== null) {
    accounts.of(nameOf(operation, input, 'the name of an account as its value'));
  } else if (isKnown && operation.rejected === undefined) {
    const balances = objectOf(operation, result, 'balances by account as its answer');
    for (const account in balances) accounts.of(account);
  }
}

function actionOf(operation: Operation, accounts: Numbering): BankAction | undefined {
  if (operation.f === 'read') return readOf(operation, accounts);
  const { f, input, isKnown, rejected, result } = operation;
  const fields = fieldsOf(operation, input, fieldsNeeded(f));
  const amount = amountOf(operation, fields['amount'], 'an amount');
  const from = f === 'deposit' ? 0 : accounts.of(String(fields['from']));
  const to = f === 'withdraw' ? 0 : accounts.of(String(fields['to']));
  rejectionOf(operation, REASONS.get(f) ?? []);
  if (rejected === 'not-enough-gold') return { kind: 'refused', changes: false, from, amount };
  if (rejected === 'same-account') {
    // Between two accounts no state explains it: none is below zero.
    return from === to ? undefined : { kind: 'refused', changes: false, from, amount: 0 };
  }
  const changes = from !== to && amount !== 0;
  return {
    kind: 'move',
    changes,
    from,
    to,
    amount,
    left: isKnown ? leftOf(operation, result) : undefined,
    account: from === 0 ? to : from,
    touched: [from, to].filter((account) => account !== 0),
  };
}

function readOf(operation: Operation, accounts: Numbering): BankAction | undefined {
  const { input, isKnown, result } = operation;
  rejectionOf(operation, []);
  if (!isKnown) return undefined;
  if (input !== undefined && input !== null) {
    const balance = wholeOf(operation, result, 'a balance as its answer');
    const account = accounts.of(String(input));
    return { kind: 'read', changes: false, accounts: [account], balances: [balance] };
  }
  const balances = new Array<number>(accounts.size).fill(0);
  for (const [account, balance] of Object.entries(objectOf(operation, result, 'balances'))) {
    balances[accounts.of(account) - 1] = wholeOf(operation, balance, 'balances in its answer');
  }
  return { kind: 'read', changes: false, accounts: balances.map((_, i) => i + 1), balances };
}

function leftOf(operation: Operation, result: unknown): number | undefined {
  if (result === undefined || result === null) return undefined;
  return wholeOf(operation, fieldsOf(operation, result, ['left'])['left'], '"left" as its answer');
}

function fieldsNeeded(f: string): readonly string[] {
  if (f === 'deposit') return ['to', 'amount'];
  return f === 'withdraw' ? ['from', 'amount'] : ['from', 'to', 'amount'];
}
