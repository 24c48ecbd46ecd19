/** Why there is no answer of an actor. */
export type ActorRefusal = 'unhosted' | 'depth' | 'full' | 'gone' | 'late'

/** A call to an actor that did not come to its turn. */
export class ActorError extends Error {
  readonly refusal: ActorRefusal

  constructor(refusal: ActorRefusal, message: string) {
    super(message)
    this.name = 'ActorError'
    this.refusal = refusal
  }
}
