import {orElse} from '../../../model/or-else.ts'

/** The names that identify an event. */
export interface EventNames {
  /** `id` of CloudEvents 1.0. */
  readonly event: string
  /** `source`: its publisher. */
  readonly publisher: string
}

/** How much of an envelope's end is read: its data are at the beginning. */
const END_BYTES = 4096
/** The envelope that sidecars write has its keys in order. */
const NAMES = /^,"id":("(?:[^"\\]|\\.)*"),"pubsubname":"(?:[^"\\]|\\.)*","source":("(?:[^"\\]|\\.)*"),"specversion":/
const BEHIND = '","specversion":'

/** The names in an envelope in JSON, as sidecars write it; undefined: it is another one, or cut off. */
export function eventNames(envelope: Buffer): EventNames | undefined {
  const text = envelope.toString('utf8', Math.max(0, envelope.length - END_BYTES))
  const end = text.lastIndexOf(BEHIND)
  // an `id` within its data is further to the front
  const start = end < 0 ? -1 : text.lastIndexOf(',"id":"', end)
  if (start < 0) return undefined
  const [, id, source] = NAMES.exec(text.slice(start, end + BEHIND.length)) ?? []
  if (id === undefined || source === undefined) return undefined
  // an id by an app may not be JSON
  return orElse(() => ({event: valueOf(id), publisher: valueOf(source)}), undefined)
}

const valueOf = (text: string): string => (text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1))
