import {nearMiss} from '../../model/near-miss.ts'
import type {Denied} from './admission.ts'

/** Returns the text about an unknown id: it suggests a similar id, and lists the apps of this run and of other runs. */
export function whyUnknown(id: string, known: readonly string[], others: readonly string[]): string {
  const near = nearMiss(id, [...known, ...others])
  const meant = near === '' ? '' : `; did you mean "${near}"?`
  const elsewhere = others.length === 0 ? '' : `; in other runs: ${others.join(', ')}`
  return `no app "${id}" runs here${meant}; running: ${known.length === 0 ? 'none' : known.join(', ')}${elsewhere}`
}

/** Returns why an app of the plan that the user has stopped cannot be called. */
export const whyStopped = (id: string): string => `[stopped by "pillion stop"; "pillion start ${id}" brings it back]`

/** Returns why an app that `--profile` or `--only` has left out cannot be called. */
export const whyLeftOut = (id: string, profiles: readonly string[]): string =>
  profiles.length === 0
    ? `[not started: it is not one of --only; "pillion start ${id}" starts it]`
    : `[not started: ${profiles.map(name => `--profile ${name}`).join(' or ')} starts it, and so does "pillion start ${id}"]`

/** Returns the denial of a call to an unknown id. `why`: text after Dapr's words. */
export const denyUnknown = (id: string, why: string): Denied => ({
  ok: false,
  status: 500,
  error: `couldn't find service: ${id} ${why}`,
  isUnknown: true
})
