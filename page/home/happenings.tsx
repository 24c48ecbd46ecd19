import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {duration, timeOfDay} from '../parts/format.ts'
import {shortened, visible} from '../parts/safe-text.ts'
import type {StateWord} from '../../src/model/app-words.ts'
import {wordOf} from '../state/app-status.ts'
import {keyOf, listen} from '../state/run.ts'

const MAX_KEPT = 60

interface Happening {
  readonly key: number
  /** Ms since 1970. */
  readonly at: number
  /** '': it concerns the run. */
  readonly app: string
  readonly text: string
  readonly isBad?: boolean
}

/** What has happened to the apps since the page was opened, and when they were started; the latest first. */
const happenings = signal<readonly Happening[]>([])
let count = 0

function add(news: readonly Omit<Happening, 'key'>[]): void {
  const keyed = news.map(each => ({...each, key: count++}))
  happenings.value = [...keyed, ...happenings.value].toSorted((a, b) => b.at - a.at).slice(0, MAX_KEPT)
}

const tell = (app: string, text: string, isBad = false): void => add([{at: Date.now(), app, text, isBad}])

/** What is told of a new state; of crashes more is told than their state says. */
const TOLD: Partial<Record<StateWord, string>> = {
  ready: 'is ready',
  'not ready': 'is no longer ready',
  stopped: 'was stopped',
  'in debugger': 'was handed over to a debugger',
  finished: 'has ended'
}

const lifeOf = (app: Api.App): string => `${keyOf(app)} ${app.pid}`

let runId = ''
const words = new Map<string, StateWord>()
/** Processes that have been ready. */
let seen = new Set<string>()

listen('reset', run => {
  if (runId !== run.run) {
    happenings.value = []
    words.clear()
    add(
      run.apps.flatMap(app => {
        const at = Date.parse(app.startedAt ?? '')
        return at > 0 ? [{at, app: keyOf(app), text: 'was started'}] : []
      })
    )
  }
  runId = run.run
  for (const app of run.apps) words.set(keyOf(app), wordOf(app))
  seen = new Set(run.apps.filter(({isReady}) => isReady).map(lifeOf))
})

listen('app', app => {
  const key = keyOf(app)
  if (app.state === 'removed') {
    words.delete(key)
    return tell(key, 'was taken out of the run')
  }
  const word = wordOf(app)
  const before = words.get(key)
  words.set(key, word)
  const text = TOLD[word]
  // before it was ready for the first time it is not "no longer" ready
  if (text === undefined || word === before || (word === 'not ready' && before !== 'ready')) return
  if (word !== 'ready') return tell(key, text, word === 'not ready')
  const took = Math.max(0, Date.now() - Date.parse(app.startedAt ?? ''))
  tell(key, seen.has(lifeOf(app)) ? 'is ready again' : `${text} after ${duration(took)}`)
  seen.add(lifeOf(app))
})

listen('reload', ({app, files, tookMs, held}) => {
  const what = files.length === 0 ? '' : `: ${files.slice(0, 3).join(', ')}${files.length > 3 ? ' …' : ''}`
  tell(app, `was reloaded in ${duration(tookMs)}${what}${held > 0 ? `; ${held} calls waited` : ''}`)
})
listen('death', ({name, exit, reason, at}) =>
  add([{at: Date.parse(at), app: name, text: reason === '' ? exit : `${exit}: ${reason}`, isBad: true}])
)
listen('fault', ({change, text}) => {
  if (change !== 'hit' && text !== '') tell('', `⚡ ${text}`)
})
listen('note', ({text}) => tell('', text))

export const Happenings = () => (
  <div class="latest happenings">
    <h2 id="happenings">What happened</h2>
    <div class="scroll" tabIndex={0} role="region" aria-labelledby="happenings">
      <table>
        <tbody>
          {happenings.value.map(({key, at, app, text, isBad}) => (
            <tr key={key}>
              <td>{timeOfDay(at).slice(0, 8)}</td>
              <td class="edge" title={visible(app)}>
                {shortened(visible(app), 24)}
              </td>
              <td class={`wide ${isBad === true ? 'bad' : ''}`} title={visible(text)}>
                {visible(text)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </div>
)
