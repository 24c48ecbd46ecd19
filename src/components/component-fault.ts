import type {Place} from '../model/errors.ts'

/** A mistake in the file of a component. */
export class ComponentFault extends Error {
  readonly place: Place | undefined

  constructor(message: string, place?: Place) {
    super(message)
    this.name = 'ComponentFault'
    this.place = place
  }
}
