import type {Validate} from './schema.generated.js'

/** Validators for the inside of the key `kubernetes`. */
export const validators: Readonly<Record<'kubernetes', Validate>>
