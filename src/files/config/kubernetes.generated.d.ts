import type {Validate} from './schema.generated.js'

/** Of the key `kubernetes`: what is inside it. */
export const validators: Readonly<Record<'kubernetes', Validate>>
