// A start that cannot be: the configuration or the machine must be changed first.
//
// Thrown by the adapters while a process starts; the process prints the message and exits with 2.
// Never thrown once the process is ready.

/** The message is one sentence that says what to change. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
