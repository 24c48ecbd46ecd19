import type * as Api from '../../src/model/api.generated.ts'
import {effect, signal} from '@preact/signals'
import {useEffect} from 'preact/hooks'
import {wordOf} from '../state/app-status.ts'
import {problemOf, ask, mayChange} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {hrefOf} from '../state/route.ts'
import {appList, connection, deaths, reconnect, listen} from '../state/run.ts'
import {announce} from './announce.tsx'
import {ago, duration, timeOfDay} from './format.ts'
import {visible} from './safe-text.ts'

/** Says when the run cannot be asked; what is shown stays. */
export function ConnectionStrip() {
  const current = connection.value
  if (current.state === 'refused')
    return (
      <section class="strip bad" aria-label="Connection">
        <p>
          This page may not ask the run: {current.why}. Open it again with the address that{' '}
          <code>pillion dashboard</code> prints.
        </p>
      </section>
    )
  if (!('at' in current)) return null
  const left = Math.max(0, current.retryAt - now.value)
  const what = current.state === 'ended' ? 'The run has ended.' : current.why || 'The run does not answer.'
  return (
    <section class="strip bad" aria-label="Connection">
      <p>
        {what} This is what was known at {timeOfDay(current.at).slice(0, 8)}, {ago(now.value - current.at)}. Trying
        again {left < 1000 ? 'now' : `in ${duration(Math.ceil(left / 1000) * 1000).replace('.0', '')}`}.
      </p>
      <button type="button" onClick={reconnect}>
        Now
      </button>
    </section>
  )
}

/** What went wrong when the user asked for something; '' = nothing. */
export const failure = signal('')

listen('death', ({name, exit}) => announce(`${name} ${exit}`))
effect(() => {
  const {state} = connection.value
  if (state === 'lost' || state === 'ended') failure.value = ''
  if (state === 'lost') announce('The run does not answer')
  if (state === 'ended') announce('The run has ended')
})

/** Does something with an app, and says so if it could not be done. */
export async function act(app: string, action: 'restart' | 'start' | 'stop'): Promise<void> {
  failure.value = ''
  announce(`${action} ${app}`)
  try {
    await ask(`/apps/${encodeURIComponent(app)}/${action}`, {method: 'POST'})
  } catch (error) {
    const {message, hint} = problemOf(error)
    failure.value = `${message}${hint === '' ? '' : `. ${hint}`}`
  }
}

export function FailureStrip() {
  // while the run does not answer, its strip says so
  if (failure.value === '' || 'at' in connection.value) return null
  return (
    <section class="strip bad" role="alert" aria-label="Failure">
      <p>{failure.value}</p>
      <button type="button" onClick={() => (failure.value = '')}>
        Close
      </button>
    </section>
  )
}

/** An app had ended before the page was opened. */
async function learn(id: string): Promise<void> {
  try {
    const {death} = await ask<Api.Why>(`/apps/${encodeURIComponent(id)}/why`)
    if (death !== null) deaths.value = new Map([...deaths.value, [id, death]])
  } catch {
    // then less is said
  }
}

const endedAt = ({id}: Api.App): number => Date.parse(deaths.value.get(id)?.at ?? '') || 0

/** The app that ended last of those that are down now, and how many others are. */
export function TroubleStrip() {
  const down = appList.value.filter(app => ['crashed', 'backoff'].includes(wordOf(app)))
  const [latest, ...others] = down.toSorted((a, b) => endedAt(b) - endedAt(a))
  const id = latest?.id ?? ''
  const isKnown = deaths.value.has(id)
  useEffect(() => {
    if (id !== '' && !isKnown) void learn(id)
  }, [id, isKnown])
  if (latest === undefined) return null
  const death = deaths.value.get(latest.id)
  const [inside] = death?.inside ?? []
  return (
    <section class="strip bad" aria-label="Trouble">
      <p>
        <b>{latest.id}</b> {latest.exit}
        {death !== undefined && `, ${ago(now.value - Date.parse(death.at))}`}
        {inside !== undefined && (
          <>
            , while it answered <code>{visible(`${inside.method} ${inside.path}`)}</code> from <b>{inside.from}</b>
          </>
        )}
        .
      </p>
      <a class="button" href={hrefOf('apps', [latest.id])}>
        What killed it
      </a>
      {mayChange && connection.value.state === 'open' && (
        <button type="button" onClick={() => void act(latest.id, 'start')}>
          Start
        </button>
      )}
      {others.length > 0 && <a href={hrefOf('apps')}>and {others.length} more</a>}
    </section>
  )
}
