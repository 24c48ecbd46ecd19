import {useEffect} from 'preact/hooks'
import {
  areRequests,
  calls,
  clear,
  followCalls,
  isAnswered,
  isCleared,
  isOther,
  mistake,
  notShown,
  unclear
} from '../calls/call-list.ts'
import {COLUMNS, columnsWithGaps, hrefOfCall, OF_REQUESTS} from '../calls/columns.tsx'
import {Export} from '../calls/export.tsx'
import {Request} from '../calls/request.tsx'
import {Chips} from '../parts/chips.tsx'
import {firstCall} from '../parts/first-call.ts'
import {count} from '../parts/format.ts'
import {Grid} from '../parts/grid.tsx'
import {useKeys, type Key} from '../state/keys.ts'
import {go, hrefHere, parameter, route, setParameters} from '../state/route.ts'
import {connection, runId} from '../state/run.ts'

/** The terms that a click adds to the filter or removes from it. */
const CHIPS: readonly (readonly [text: string, word: string])[] = [
  ['failed', 'is:failed'],
  ['waited', 'is:waited'],
  ['faulted', 'is:fault'],
  ['slow', 'slower:100ms'],
  ['replays', 'is:replay'],
  ['hide deliveries and probes', '!is:own']
]

const wordsOf = (q: string): readonly string[] => q.split(' ').filter(word => word !== '')

const KEYS: readonly Key[] = [{keys: 'x', text: 'Clear the calls', run: clear}]

/** Shows the list of calls (`#/calls`) or the request of one (`#/calls/7`). */
export default function Calls() {
  const [open = ''] = route.value.rest
  return /^\d+$/.test(open) ? <Opened key={runId.value} number={Number(open)} /> : <CallTable />
}

const KEYS_OF_REQUEST: readonly Key[] = [{keys: 'Escape', text: 'Back to the calls', run: () => go(hrefHere())}]

function Opened({number}: {readonly number: number}) {
  useKeys(KEYS_OF_REQUEST)
  return <Request number={number} />
}

function CallTable() {
  const q = parameter('q')
  const isOfRequests = parameter('as') === 'requests'
  const cleared = isCleared()
  useKeys(KEYS)
  useEffect(() => followCalls(q, isOfRequests), [q, isOfRequests, cleared])
  const rows = calls.value
  const isAsking = isOther(q, isOfRequests)
  return (
    <>
      <div class="tools">
        <h1>Calls</h1>
        <span class="switch" role="group" aria-label="Rows">
          {['calls', 'requests'].map(each => (
            <button
              key={each}
              type="button"
              aria-pressed={isOfRequests === (each === 'requests')}
              onClick={() => setParameters({as: each === 'calls' ? '' : each, sort: ''})}
            >
              {each}
            </button>
          ))}
        </span>
        <input
          type="search"
          class="filter"
          aria-label="Filter calls"
          placeholder="to:payments status:5xx slower:100ms"
          value={q}
          aria-invalid={mistake.value !== ''}
          aria-describedby="filter-mistake"
          onInput={event => setParameters({q: event.currentTarget.value})}
        />
        <div class="choices">
          <Chips
            chips={CHIPS.map(([text, title]) => {
              const isOn = wordsOf(q).includes(title)
              const others = wordsOf(q).filter(each => each !== title)
              return {
                text,
                isOn,
                title,
                toggle: () => setParameters({q: (isOn ? others : [...others, title]).join(' ')})
              }
            })}
          />
          <span class="soft far">
            {isAsking
              ? isOfRequests
                ? 'Joining calls …'
                : 'Asking the run …'
              : countText(rows.length, notShown.value)}
          </span>
          <button type="button" title="Key: x" onClick={clear}>
            Clear
          </button>
          <Export q={q} />
        </div>
      </div>
      <p id="filter-mistake" class="bad" role={mistake.value === '' ? undefined : 'alert'}>
        {mistake.value}
      </p>
      <div class="calls-view">
        {rows.length > 0 ? (
          <Grid
            name="calls"
            label={isOfRequests ? 'Requests' : 'Calls'}
            columns={areRequests() ? OF_REQUESTS : q === '' ? columnsWithGaps(rows) : COLUMNS}
            rows={rows}
            keyOf={({number}) => number.toString()}
            toneOf={({isFailed}) => (isFailed ? 'bad' : '')}
            isAsking={isAsking}
            keepsPlaces={route.value.parameters.has('sort')}
            onOpen={({number}) => go(hrefOfCall(number))}
          />
        ) : (
          <Nothing q={q} isCleared={cleared} />
        )}
      </div>
    </>
  )
}

const countText = (rows: number, others: number): string =>
  others > 0 ? `${count(rows)} of ${count(rows + others)}` : `${count(rows)} shown`

function Nothing({q, isCleared: wasCleared}: {readonly q: string; readonly isCleared: boolean}) {
  if (connection.value.state === 'open' && !isAnswered.value && mistake.value === '')
    return <p class="empty">Asking the run …</p>
  if (q !== '' || wasCleared)
    return (
      <div class="empty">
        <p>No call matches.</p>
        <button type="button" onClick={() => (unclear(), setParameters({q: ''}))}>
          Show all
        </button>
      </div>
    )
  if (connection.value.state !== 'open') return <p class="empty">The run does not answer.</p>
  const command = firstCall()
  return (
    <div class="empty">
      <p>There was no call yet. {command === '' ? 'Use the app.' : 'Use the app, or make one:'}</p>
      {command !== '' && <pre>{command}</pre>}
    </div>
  )
}
