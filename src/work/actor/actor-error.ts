/** A call to an actor that was refused before its turn began. */
export class ActorError extends Error {
  readonly refusal: 'unhosted' | 'depth' | 'full' | 'gone' | 'late'

  constructor(refusal: ActorError['refusal'], message: string) {
    super(message)
    this.name = 'ActorError'
    this.refusal = refusal
  }
}
