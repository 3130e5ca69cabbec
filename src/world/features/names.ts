// Names: what a player is called in the world, claimed once for all regions together.
//
// Players ask. Promise: linearizable, since two regions that both grant a name have no merge.
// Invariant: one owner per folded name, one name per player; hence no more names than players.
// Source: seed, Part IV, where a last-writer-wins register would grant a name twice.
import { type ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CowMap } from '../../base/cow-map.ts';
import { CorruptionError, type Decision, done, rejected } from '../../base/errors.ts';
import { loadedInSlices, type Loading, savedMap, type Slices } from '../../base/slices.ts';
import { claimName, nameOf, ownerOfName, releaseName } from '../../wire/calls.ts';
import { command, type CommandContext, type Feature, query } from '../feature.ts';

interface Claim {
  readonly player: number;
  /** As it was spelled when it was claimed. */
  readonly name: string;
}

export class Names {
  /** By folded name, in the order of the claims that stand. */
  readonly #byName = new CowMap<string, Claim>();
  readonly #byPlayer = new Map<number, Claim>();

  ownerOf(name: string): number | undefined {
    return this.#byName.get(fold(name))?.player;
  }

  nameOf(player: number): string | undefined {
    return this.#byPlayer.get(player)?.name;
  }

  /** The name must be free and the player without one. */
  claim(claim: Claim): void {
    this.#byName.set(fold(claim.name), claim);
    this.#byPlayer.set(claim.player, claim);
  }

  /** False when the player has no name. */
  release(player: number): boolean {
    const claim = this.#byPlayer.get(player);
    if (claim === undefined) return false;
    this.#byName.delete(fold(claim.name));
    return this.#byPlayer.delete(player);
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#byName.size);
    for (const entry of this.#byName) saveClaim(writer, entry);
  }

  slices(): Slices {
    return savedMap(new ByteWriter(), this.#byName, saveClaim);
  }

  static *load(reader: ByteReader): Loading<Names> {
    const names = new Names();
    yield* loadedInSlices(reader, reader.varint(), () => {
      const claim = { player: reader.varint(), name: reader.text() };
      if (names.ownerOf(claim.name) !== undefined || names.nameOf(claim.player) !== undefined) {
        throw new CorruptionError(`the name ${claim.name} or its owner is saved twice`);
      }
      names.claim(claim);
    });
    return names;
  }
}

export const names: Feature<Names> = {
  name: 'names',
  promise: 'linearizable',
  version: 1,
  needs: [],
  commands: {
    claim: command('player', claimName, applyClaim),
    release: command('player', releaseName, (state: Names, _none, { player }) =>
      state.release(player) ? done(null) : rejected('no-name'),
    ),
  },
  queries: {
    owner: query('player', ownerOfName, (state: Names, { name }) =>
      done({ player: state.ownerOf(name) ?? null }),
    ),
    of: query('player', nameOf, (state: Names, { player }) =>
      done({ name: state.nameOf(player) ?? null }),
    ),
  },
  create: () => new Names(),
  advance() {},
  save: (state, writer) => state.save(writer),
  load: (reader) => Names.load(reader),
  slices: (state) => state.slices(),
};

function saveClaim(writer: ByteWriter, [, { player, name }]: readonly [string, Claim]): void {
  writer.varint(player).text(name);
}

/** Who claims his own name again keeps it as it is spelled. */
function applyClaim(
  state: Names,
  { name }: { readonly name: string },
  { player }: CommandContext,
): Decision<{ readonly name: string }, 'name-taken' | 'has-a-name'> {
  const owner = state.ownerOf(name);
  if (owner !== undefined && owner !== player) return rejected('name-taken');
  const standing = state.nameOf(player);
  if (standing === undefined) {
    state.claim({ player, name });
    return done({ name });
  }
  return owner === player ? done({ name: standing }) : rejected('has-a-name');
}

/** Equal for names that people take for the same. ASCII only, as the schema of names ensures. */
function fold(name: string): string {
  const lower = name.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
  return lower.replace(/[ '_]/g, '-');
}
