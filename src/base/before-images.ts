// What things that are changed in place looked like when a walk over them began.
//
// For what a `CowMap` can not hold, since others keep references to the things themselves: the table of
// sessions, the ledger. Whoever changes a thing says so before; the walk asks what it was.
// Invariant: costs nothing while no walk is on, and during one a copy of each thing that changes.
// Source: before-images as databases keep them for consistent reads.

export class BeforeImages<Thing> {
  readonly #copyOf: (thing: Thing) => Thing;
  #images: Map<Thing, Thing> | undefined;

  constructor(copyOf: (thing: Thing) => Thing) {
    this.#copyOf = copyOf;
  }

  /** Whether a walk is on, so that changes must be told. */
  get isOn(): boolean {
    return this.#images !== undefined;
  }

  /** One walk at a time: another one forgets what the one before still wanted to know. */
  begin(): void {
    this.#images = new Map();
  }

  end(): void {
    this.#images = undefined;
  }

  /** To be called before each change of the thing. */
  keep(thing: Thing): void {
    const images = this.#images;
    if (images !== undefined && !images.has(thing)) images.set(thing, this.#copyOf(thing));
  }

  /** The thing as it was when the walk began; to be read at once, for it may be the thing itself. */
  of(thing: Thing): Thing {
    return this.#images?.get(thing) ?? thing;
  }
}
