import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useState} from 'preact/hooks'
import {COLUMNS as ALL, hrefOfCall} from '../calls/columns.tsx'
import {api} from '../state/api.ts'
import {go, hrefOf} from '../state/route.ts'
import {endAll, listen} from '../state/run.ts'
import {firstCall} from './first-call.ts'
import {Grid} from './grid.tsx'

const MAX_ROWS = 40

/** Shows the latest finished calls: of all apps, or those from and to one. */
export function LatestCalls({app = ''}: {readonly app?: string}) {
  const [calls, setCalls] = useState<readonly Api.Call[]>([])
  const [isAnswered, setAnswered] = useState(false)
  useEffect(() => {
    const gone = new AbortController()
    const isOf = ({from, to}: Api.Call): boolean => app === '' || from === app || to === app
    const add = (news: readonly Api.Call[]): void =>
      setCalls(before => {
        const known = new Set(before.map(({number}) => number))
        const added = news.filter(call => isOf(call) && !known.has(call.number))
        return [...added, ...before].toSorted((a, b) => b.number - a.number).slice(0, MAX_ROWS)
      })
    const query = {limit: MAX_ROWS, ...(app !== '' && {q: `app:${app}`})}
    const begin = async (): Promise<void> => {
      const {calls: earlier} = await api.ask('GET /calls', {query, signal: gone.signal})
      setAnswered(true)
      add(earlier.filter(({isOpen}) => !isOpen))
    }
    const load = (): void => void begin().catch(() => undefined) // live calls are shown even if earlier ones cannot be loaded
    load()
    const stop = listen('calls', ({calls: news}) => add(news))
    return endAll(() => gone.abort(), stop, listen('following', load))
  }, [app])
  return (
    <div class="latest">
      <h2>
        Latest calls <a href={hrefOf('calls', [], {q: app === '' ? '' : `app:${app}`})}>all</a>
      </h2>
      {calls.length > 0 && (
        <Grid
          name="latest-calls"
          label="Latest calls"
          columns={COLUMNS}
          rows={calls}
          keyOf={({number}) => number.toString()}
          toneOf={({isFailed}) => (isFailed ? 'bad' : '')}
          onOpen={({number}) => go(hrefOfCall(number))}
        />
      )}
      {calls.length === 0 && isAnswered && <NoCalls app={app} />}
    </div>
  )
}

/** The columns without sorting: rows move too often for that. */
const COLUMNS = ALL.filter(({name}) => !['time', 'size', 'why'].includes(name)).map(
  ({sortBy: _sortBy, ...column}) => column
)

function NoCalls({app}: {readonly app: string}) {
  const command = firstCall(app)
  return (
    <p class="empty">
      {app === '' ? 'No call has been made yet. ' : 'No call from or to it. '}
      {command !== '' && ['Make one: ', <code>{command}</code>]}
    </p>
  )
}
