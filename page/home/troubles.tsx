import type * as Api from '../../src/model/api.generated.ts'
import type {ComponentChildren} from 'preact'
import {computed} from '@preact/signals'
import {useEffect} from 'preact/hooks'
import {ago, count, duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {act} from '../parts/strips.tsx'
import {api, mayChange} from '../state/api.ts'
import {isDown, wordOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {faults} from '../state/faults.ts'
import {hrefOf} from '../state/route.ts'
import {appList, connection, deaths, keyOf, targetOf, waiting} from '../state/run.ts'
import {histories, lastMinute} from './traffic-history.ts'

/** So many are told at once: more would push away the table, which has them, too. */
const MAX_TOLD = 5
/** An app that takes longer to become ready needs somebody to look. */
const SLOW_START_MS = 60_000

/** Something that needs a person. */
interface Trouble {
  readonly key: string
  readonly isBad: boolean
  readonly text: ComponentChildren
  readonly actions: ComponentChildren
}

const endedAt = ({id}: Api.App): number => Date.parse(deaths.value.get(id)?.at ?? '') || 0

/** Apps that are down, the one that ended last first. */
const down = computed(() => appList.value.filter(isDown).toSorted((a, b) => endedAt(b) - endedAt(a)))

/** An app had ended before the page was opened. */
async function learn(id: string): Promise<void> {
  try {
    const {death} = await api.ask('GET /apps/{id}/why', {at: {id}})
    if (death !== null) deaths.value = new Map([...deaths.value, [id, death]])
  } catch {
    // then less is said
  }
}

function crashOf(app: Api.App): Trouble {
  const death = deaths.value.get(app.id)
  const [inside] = death?.inside ?? []
  return {
    key: `crash ${keyOf(app)}`,
    isBad: true,
    text: (
      <>
        <b>{keyOf(app)}</b> {app.exit}
        {death !== undefined && `, ${ago(now.value - Date.parse(death.at))}`}
        {inside !== undefined && (
          <>
            , answering <code>{visible(`${inside.method} ${inside.path}`)}</code> from <b>{inside.from}</b>
          </>
        )}
        .
      </>
    ),
    actions: (
      <>
        <a class="button" href={hrefOf('apps', [keyOf(app)])}>
          Show crash
        </a>
        {mayChange && connection.value.state === 'open' && (
          <button type="button" onClick={() => void act(targetOf(app).name, 'start')}>
            Start
          </button>
        )}
      </>
    )
  }
}

const open = (href: string, text: string): ComponentChildren => (
  <a class="button" href={href}>
    {text}
  </a>
)

/** What is wrong with an app that runs. */
function othersOf(app: Api.App): readonly Trouble[] {
  const {id, startedAt, circuitBreakers, waitingWork, waitingEvents, appPort} = app
  const found: Trouble[] = []
  const add = (what: string, text: ComponentChildren, actions: ComponentChildren): void =>
    void found.push({key: `${what} ${keyOf(app)}`, isBad: false, text, actions})
  const forMs = startedAt === null ? 0 : now.value - Date.parse(startedAt)
  if (['not ready', 'starting'].includes(wordOf(app)) && forMs > SLOW_START_MS)
    add(
      'slow',
      <>
        <b>{keyOf(app)}</b> is not ready after {duration(forMs)}
        {appPort > 0 && `: port ${appPort} is not open`}
        {(waiting.value[id] ?? 0) > 0 && `; ${count(waiting.value[id] ?? 0)} calls wait`}.
      </>,
      open(hrefOf('logs', [], {app: id}), 'Logs')
    )
  for (const {name, state} of circuitBreakers.filter(each => each.state === 'open'))
    add(
      `breaker ${name}`,
      <>
        The circuit breaker {visible(name)} of <b>{keyOf(app)}</b> is {state}: calls fail unsent.
      </>,
      open(hrefOf('calls', [], {q: `app:${id} is:failed`}), 'Failed calls')
    )
  if (waitingWork > 0)
    add(
      'work',
      <>
        {count(waitingWork)} {waitingWork === 1 ? 'step' : 'steps'} of workflows wait for a worker of <b>{id}</b>.
      </>,
      open(hrefOf('workflows'), 'Workflows')
    )
  if (waitingEvents > 0)
    add(
      'events',
      <>
        {count(waitingEvents)} events wait in memory for <b>{id}</b> to take them.
      </>,
      open(hrefOf('logs', [], {app: id}), 'Logs')
    )
  return found
}

/** Calls that failed in the last minute, by callee: an app with several instances is told once, and what is no app as well. */
const failing = computed(() =>
  [...histories.value].flatMap(([id, history]): readonly Trouble[] => {
    const {calls, failed} = lastMinute(history)
    if (failed === 0) return []
    const isFaulty = faults.value.some(({isEnabled, to}) => isEnabled && (to === '' || to === id))
    return [
      {
        key: `failing ${id}`,
        isBad: false,
        text: (
          <>
            {count(failed)} of {count(calls)} calls to <b>{visible(id)}</b> failed in the last minute
            {isFaulty && ' (⚡ a fault is on)'}.
          </>
        ),
        actions: open(hrefOf('calls', [], {q: `to:${id} is:failed`}), 'Failed calls')
      }
    ]
  })
)

/** What needs a person, the worst first. `isWhole`: all of it; else only that apps are down. */
export function Troubles({isWhole}: {readonly isWhole: boolean}) {
  const [latest] = down.value
  const id = latest?.id ?? ''
  const isKnown = deaths.value.has(id)
  useEffect(() => {
    if (id !== '' && !isKnown) void learn(id)
  }, [id, isKnown])
  const crashes = down.value.map(crashOf)
  const all = isWhole ? [...crashes, ...appList.value.flatMap(othersOf), ...failing.value] : crashes
  const told = all.slice(0, isWhole ? MAX_TOLD : 1)
  if (told.length === 0) return null
  const more = all.length - told.length
  return (
    <section class="troubles" aria-label="Trouble">
      {told.map(({key, isBad, text, actions}, index) => (
        <div key={key} class={`strip ${isBad ? 'bad' : 'warn'}`}>
          <p>{text}</p>
          {actions}
          {more > 0 &&
            index === told.length - 1 &&
            (isWhole ? <span>and {more} more</span> : <a href={hrefOf('apps')}>and {more} more</a>)}
        </div>
      ))}
    </section>
  )
}
