import type * as Api from '../../src/model/api.generated.ts'
import {signal} from '@preact/signals'
import {duration, timeOfDay} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import type {StateWord} from '../../src/model/app-words.ts'
import {wordOf} from '../state/app-status.ts'
import {api} from '../state/api.ts'
import type {RunEvent} from '../state/event-stream.ts'
import {keyOf, listen, type EventData} from '../state/run.ts'
import {ownOf} from '../../src/model/own.ts'

const MAX_KEPT = 60
/** The number of characters of a text that are shown; its tooltip has all. */
const MAX_TEXT = 200
/** The types of the past events that are requested when the page is opened. */
const PAST = 'app,reload,death,fault,note'

interface Happening {
  readonly key: number
  /** The time, in ms since 1970. */
  readonly at: number
  /** The name of the app; empty if the event concerns the run. */
  readonly app: string
  readonly text: string
  readonly isBad: boolean
  readonly kind: 'start' | 'ready' | 'not ready' | 'end' | 'other'
  /** The number of equal events in a row that this row represents. */
  readonly times: number
}

type Said = Pick<Happening, 'app' | 'text' | 'isBad' | 'kind'>

/** The latest events of the run, newest first. */
const happenings = signal<readonly Happening[]>([])
let count = 0

function add(news: readonly (Said & Pick<Happening, 'at'>)[]): void {
  const all = [...news.map(each => ({...each, key: count++, times: 1})), ...happenings.value]
  const listed: Happening[] = []
  for (const each of all.toSorted((a, b) => b.at - a.at)) addEarlier(listed, each)
  happenings.value = listed.slice(0, MAX_KEPT)
}

/** The time, in ms, within which the events of one restart or one exit of an app arrive. */
const ONE_EVENT_MS = 1000

/** Adds an event before the listed ones, unless a later event of its app reports it, too. */
function addEarlier(listed: Happening[], each: Happening): void {
  const [later, afterwards] = listed
    .filter(({app}) => app === each.app)
    .slice(-2)
    .toReversed()
  const replace = (old: Happening, by: readonly Happening[]): void => void listed.splice(listed.indexOf(old), 1, ...by)
  const repeats = (other: Happening | undefined): other is Happening => other?.text === each.text
  if (later !== undefined && later.at - each.at < ONE_EVENT_MS) {
    if (later.kind === 'end' && ['ready', 'not ready'].includes(each.kind)) return
    // a reload names how long the app took, and what it was for
    if (later.kind === 'ready' && each.kind === 'end' && !each.isBad) return replace(later, [each])
  }
  if (later?.kind === 'ready' && each.kind === 'start') return
  if (repeats(later) && (later.isBad || later === listed.at(-1)))
    return replace(later, [{...later, times: later.times + each.times}])
  // an app that exits again and again starts in between
  if ((later?.kind === 'ready' || later?.kind === 'start') && each.isBad && repeats(afterwards)) {
    replace(later, [])
    return replace(afterwards, [{...afterwards, times: afterwards.times + each.times}])
  }
  listed.push(each)
}

const say = (app: string, text: string, kind: Happening['kind'] = 'other', isBad = false): Said => ({
  app,
  text,
  kind,
  isBad
})

/** The text for each new state of an app; states after a crash have none, because the `death` event says more. */
const WORDS: Partial<Record<StateWord, string>> = {
  ready: 'is ready',
  'not ready': 'is no longer ready',
  stopped: 'was stopped',
  asleep: 'is asleep',
  'in debugger': 'was handed over to a debugger',
  finished: 'has ended'
}

const lifeOf = (app: Api.App): string => `${keyOf(app)} ${app.pid}`

/** Returns a function that turns events, in their order, into rows; `apps`: the apps before the first event. */
function readerOf(apps: readonly Api.App[]): (event: Pick<RunEvent, 'type' | 'data'>, at: number) => Said | undefined {
  const words = new Map(apps.map(app => [keyOf(app), wordOf(app)]))
  /** The processes that have been ready, by `lifeOf`. */
  const seen = new Set(apps.filter(({isReady}) => isReady).map(lifeOf))
  const ofApp = (app: Api.App, at: number): Said | undefined => {
    const key = keyOf(app)
    if (app.state === 'removed') {
      words.delete(key)
      return say(key, 'was taken out of the run')
    }
    const word = wordOf(app)
    const before = words.get(key)
    words.set(key, word)
    const text = ownOf(WORDS, word)
    // a process that has never been ready cannot be "no longer" ready
    if (text === undefined || word === before || (word === 'not ready' && before !== 'ready')) return undefined
    if (word === 'not ready') return say(key, text, word, true)
    if (word !== 'ready') return say(key, text, 'end')
    const wasReady = seen.has(lifeOf(app))
    seen.add(lifeOf(app))
    const tookMs = app.startedAt === null ? 0 : at - Date.parse(app.startedAt)
    return say(key, wasReady ? 'is ready again' : text + (tookMs > 0 ? ` after ${duration(tookMs)}` : ''), 'ready')
  }
  return ({type, data}, at) => {
    if (type === 'app') return ofApp(data as Api.App, at)
    if (type === 'reload') {
      const {app, files, tookMs, held} = data as EventData['reload']
      const what = files.length === 0 ? '' : `: ${files.slice(0, 3).join(', ')}${files.length > 3 ? ' …' : ''}`
      return say(app, `was reloaded in ${duration(tookMs)}${what}${held > 0 ? `; ${held} calls waited` : ''}`, 'end')
    }
    if (type === 'death') {
      const {name, exit, reason} = data as Api.Death
      return say(name, reason === '' ? exit : `${exit}: ${reason}`, 'end', true)
    }
    const {text, code, change = ''} = data as EventData['note'] & {readonly change?: string}
    // the `death` event says more about a crash
    if (type === 'note') return code === 'app-crashed' ? undefined : say('', text.split('\n', 1)[0] ?? '')
    return change === 'hit' || text === '' ? undefined : say('', `⚡ ${text}`)
  }
}

/** Adds the events before the page was opened, as far as the run keeps them. */
async function addPast(until: number): Promise<void> {
  const read = readerOf([])
  for await (const event of await api.follow('GET /events', {query: {once: '', types: PAST}})) {
    const {at = (event.data as Partial<Api.Death>).at ?? ''} = event as RunEvent
    const said = read(event, Date.parse(at))
    if (said !== undefined && Date.parse(at) <= until) add([{...said, at: Date.parse(at)}])
  }
}

let read = readerOf([])

listen('reset', run => (read = readerOf(run.apps)))
listen('another', ({apps}, toldAt) => {
  happenings.value = []
  const started = apps.filter(({startedAt}) => startedAt !== null)
  add(started.map(app => ({...say(keyOf(app), 'was started', 'start'), at: Date.parse(app.startedAt ?? '')})))
  addPast(toldAt).catch(() => undefined) // then only later events are shown
})

for (const type of ['app', 'reload', 'death', 'fault', 'note'] as const)
  // events from while the page did not follow arrive late, with the time at which they happened
  listen(type, (data, toldAt) => {
    const at = type === 'death' ? Date.parse((data as Api.Death).at) : toldAt
    const said = read({type, data}, at)
    if (said !== undefined) add([{...said, at}])
  })

export const Happenings = () => (
  <div class="latest happenings">
    <h2 id="happenings">What happened</h2>
    <div class="scroll" tabIndex={0} role="region" aria-labelledby="happenings">
      <table>
        <tbody>
          {happenings.value.map(({key, at, app, text, isBad, times}) => (
            <tr key={key}>
              <td>{timeOfDay(at).slice(0, 8)}</td>
              <td class="wide" title={visible(text)}>
                {app !== '' && <b>{visible(app)}</b>}{' '}
                <span class={isBad ? 'bad' : ''}>
                  {times > 1 && `${times} × `}
                  {visible(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </div>
)
