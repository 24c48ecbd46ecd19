import {nearMiss} from '../../../model/near-miss.ts'
import {ApiProblem} from '../problem.ts'
import {words} from '../../../model/words.ts'

/** The types of events that a reader can select. */
export const TYPES = words('app edges calls lines reload asleep woken death troubles replay fault workflow note')
export type EventType = (typeof TYPES)[number]

/** An event as readers receive it. */
export interface ApiEvent {
  /** Ascending number of the event. 0: a sample, which is never sent again. */
  readonly id: number
  /** The time of the event, in ms since 1970; 0 for a sample. */
  readonly at: number
  /** `hello` and `reset` contain the whole state, `dropped` counts lost samples, and `bye` ends the run. */
  readonly type: EventType | 'hello' | 'dropped' | 'reset' | 'bye'
  /** Id of the app that the event concerns: readers of other apps do not receive it; '': all readers receive it. */
  readonly app: string
  /** An event replaces a waiting event with the same subject; '': it replaces none. */
  readonly subject: string
  /** The content as JSON. */
  readonly data: string
}

/** `sse`: server-sent events (WHATWG HTML 9.2). `ndjson`: one object per line. */
export type EventFormat = 'sse' | 'ndjson'

export function frameOf({id, at, type, data}: ApiEvent, format: EventFormat): string {
  if (format === 'ndjson')
    return `{${id === 0 ? '' : `"id":${id},"at":"${new Date(at).toISOString()}",`}"type":"${type}","data":${data}}\n`
  return `${id === 0 ? '' : `id: ${id}\n`}event: ${type}\ndata: ${data}\n\n`
}

/** Keeps a connection without events alive; readers skip it. */
export const PULSE: Readonly<Record<EventFormat, string>> = {sse: ':\n\n', ndjson: '\n'}

/** Reads `types=app,calls`; without it all. Throws an ApiProblem. */
export function readTypes(text: string | null): ReadonlySet<string> {
  if (text === null || text === '') return new Set(TYPES)
  const types = text.split(',').map(type => type.trim())
  const wrong = types.find(type => !(TYPES as readonly string[]).includes(type))
  if (wrong === undefined) return new Set(types)
  const near = nearMiss(wrong, TYPES)
  const hint = near === '' ? `Events are: ${TYPES.join(', ')}.` : `Did you mean ${near}?`
  throw new ApiProblem(400, `there are no events "${wrong}"`, hint)
}

/** Parses the id after which a reader resumes; 0: from the beginning. Throws an ApiProblem. */
export function readAfter(text: string | null): number {
  if (text === null || text === '') return 0
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new ApiProblem(400, `"${text}" is not an event id`, 'Give the id of the last event that you received.')
}
