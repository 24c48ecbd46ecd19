import type {CallLink} from './api.generated.ts'

/** Says why a link to another call is not certain, `likely (40 %, 1 of 3)`; '' = it is. */
export function guessText(link: CallLink | null): string {
  if (link?.reason !== 'guess') return ''
  const {chance, candidates} = link
  return `likely (${Math.round(chance * 100)} %${candidates > 1 ? `, 1 of ${candidates}` : ''})`
}

/** Returns the reason for a row's place below another one, as a sentence; '' = it has no row above. */
export function reasonText(link: CallLink | null): string {
  if (link === null) return ''
  const {reason, candidates} = link
  if (reason === 'trace') return 'Its caller passed the trace on.'
  if (reason === 'event') return 'It delivers what was published there.'
  if (reason === 'history') return 'The workflow’s history names it.'
  if (reason === 'only') return 'Its caller was doing nothing else at that moment, and passed no trace on.'
  return candidates > 1
    ? `${candidates} are possible at that moment: this is the likeliest.`
    : 'Its caller was answering this call, and may have made it for something else.'
}
