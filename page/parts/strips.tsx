import {computed, effect, signal} from '@preact/signals'
import {api, problemText} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {route} from '../state/route.ts'
import {connection, reconnect} from '../state/run.ts'
import {announce} from './announce.tsx'
import {ago, duration, timeOfDay} from './format.ts'

/** Shows that the run cannot be reached, or refuses this page; the views keep their last data. */
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

/** Why the last action of the user failed; empty if it has not failed, or the user has opened another view since. */
export const failure = signal('')

/** The view that is shown; a filter that the user types does not change it. */
const place = computed(() => JSON.stringify([route.value.view, route.value.rest]))

effect(() => {
  void place.value
  failure.value = ''
})

effect(() => {
  const {state} = connection.value
  failure.value = ''
  if (state === 'lost') announce('The run does not answer')
  if (state === 'ended') announce('The run has ended')
})

export const showProblem = (error: unknown): undefined => {
  failure.value = problemText(error)
}

/** Returns the answer to what the user has asked for. Undefined if that fails, and shows why. */
export async function attempt<T>(ask: () => Promise<T>): Promise<T | undefined> {
  failure.value = ''
  return ask().catch(showProblem)
}

/** Restarts, starts or stops an app; shows why if that fails. */
export async function act(app: string, action: 'restart' | 'start' | 'stop'): Promise<void> {
  announce(`${action} ${app}`)
  await attempt(async () => api.ask(`POST /apps/{id}/${action}`, {at: {id: app}}))
}

export function FailureStrip() {
  // `ConnectionStrip` already says that the run does not answer
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
