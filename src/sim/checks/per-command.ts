// Something that is known of commands, each named by its session and its number there.
//
// The histories keep where a command was applied in one; a text as the key would be put together for
// every entry.
interface Name {
  readonly session: number;
  readonly number: number;
}

export class PerCommand<Known> {
  readonly #bySession = new Map<number, Map<number, Known>>();

  get({ session, number }: Name): Known | undefined {
    return this.#bySession.get(session)?.get(number);
  }

  set({ session, number }: Name, known: Known): void {
    let byNumber = this.#bySession.get(session);
    if (byNumber === undefined) this.#bySession.set(session, (byNumber = new Map<number, Known>()));
    byNumber.set(number, known);
  }
}
