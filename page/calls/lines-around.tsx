import type * as Api from '../../src/model/api.generated.ts'
import {useState} from 'preact/hooks'
import {timeOfDay} from '../parts/format.ts'
import {visible, withoutColours} from '../parts/safe-text.ts'
import {api, problemOf} from '../state/api.ts'
import {appList, calleeOf} from '../state/run.ts'

/** The time before and after a span for which lines are shown, too. */
const AROUND_MS = 20
const MAX_LINES = 200

/** Shows, when opened, the lines that apps wrote during a span, in ms since 1970. */
export function LinesAround(span: Span) {
  const [lines, setLines] = useState<readonly Api.Line[] | string | undefined>(undefined)
  const ids = new Map(appList.value.flatMap(app => [app.id, calleeOf(app)].map(name => [name, app.id] as const)))
  const apps = [...new Set(span.apps.flatMap(name => ids.get(name) ?? []))]
  const load = (isOpen: boolean): void => {
    if (!isOpen || Array.isArray(lines) || apps.length === 0) return
    linesOf({...span, apps}).then(setLines, (error: unknown) => setLines(problemOf(error).message))
  }
  return (
    <details class="message" onToggle={event => load(event.currentTarget.open)}>
      <summary>Lines of {visible(apps.join(' and ')) || 'the apps'} meanwhile</summary>
      {apps.length === 0 && <p class="soft">They are not apps of this run.</p>}
      {typeof lines === 'string' && <p class="bad">{lines}</p>}
      {Array.isArray(lines) && lines.length === 0 && <p class="soft">They wrote nothing.</p>}
      {Array.isArray(lines) && lines.length > 0 && (
        <pre tabIndex={0} aria-label="Lines">
          {(lines as readonly Api.Line[]).map(line => `${textOf(line)}\n`).join('')}
        </pre>
      )}
    </details>
  )
}

interface Span {
  readonly apps: readonly string[]
  readonly from: number
  readonly until: number
}

const textOf = ({time, app, line}: Api.Line): string =>
  `${time === null ? '' : timeOfDay(time)} ${visible(app)} ${withoutColours(line)}`

/** Reads the log lines of a span and shortly before and after it, at most MAX_LINES. Throws an ApiError. */
async function linesOf({apps, ...span}: Span): Promise<readonly Api.Line[]> {
  const from = span.from - AROUND_MS
  const until = span.until + AROUND_MS
  const query = new URLSearchParams({since: new Date(from).toISOString(), version: '*'})
  for (const app of apps) query.append('app', app)
  const gone = new AbortController()
  const rows = await api.follow('GET /logs', {query, signal: gone.signal})
  const found: Api.Line[] = []
  for await (const line of rows) {
    if (!('line' in line)) continue
    const isPast = line.time !== null && Date.parse(line.time) > until
    if (isPast || found.length >= MAX_LINES) {
      gone.abort()
      return found
    }
    if (line.time === null || Date.parse(line.time) >= from) found.push(line)
  }
  return found
}
