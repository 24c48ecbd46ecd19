import type {CallLink} from './api.generated.ts'

/** Of a call that may have been made for another one: why that is not sure, `a guess: 40 %, one of 3 calls`; '' = it is. */
export function guessText(link: CallLink | null): string {
  if (link?.reason !== 'guess') return ''
  const {chance, candidates} = link
  return `a guess: ${Math.round(chance * 100)} %${candidates > 1 ? `, one of ${candidates} calls` : ''}`
}
