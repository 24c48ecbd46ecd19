import type * as Api from '../../src/model/api.generated.ts'
import {instanceName} from '../../src/model/plan.ts'
import {effect} from '@preact/signals'
import {announce} from '../parts/announce.tsx'
import {ago, count} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {act} from '../parts/strips.tsx'
import {mayChange} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {hrefOf, route} from '../state/route.ts'
import {appList, connection, targetOf, troubles} from '../state/run.ts'

/** The number of problems shown at once; more would push away the table, which lists their apps, too. */
const MAX_SHOWN = 5

let known: ReadonlySet<string> = new Set()
effect(() => {
  for (const {key, text, isOver} of troubles.value) if (!isOver && !known.has(key)) announce(text)
  known = new Set(troubles.value.map(({key}) => key))
})

/** Returns the address of an app as `keyOf` names it: with its version, if it has one. */
const hrefOfApp = ({app, name, version}: Api.Trouble): string =>
  hrefOf('apps', [['', '0.0.0'].includes(version) ? name : `${app}@${version}${name.slice(app.length)}`])

/** Returns the address where the user can do what a problem needs first. */
function hrefOfAction(trouble: Api.Trouble): string {
  const {action, kind, app, request} = trouble
  switch (action.kind) {
    case 'request':
      return hrefOf('calls', [(request?.number ?? 0).toString()])
    case 'exit':
      return hrefOfApp(trouble)
    case 'logs':
      return hrefOf('logs', [], {app})
    case 'calls':
      return hrefOf('calls', [], {q: `${kind === 'breaker' ? 'app' : 'to'}:${app} is:failed`})
    case 'workflows':
      return hrefOf('workflows')
  }
}

/** Shows the sentence about a problem, as in the terminal and `why`, with the app's name as a link. */
function Sentence({trouble}: {readonly trouble: Api.Trouble}) {
  const {text, name, kind} = trouble
  const [before = '', ...after] = text.split(`"${name}"`)
  if (after.length === 0) return <>{visible(text)}</>
  return (
    <>
      {visible(before)}
      {kind === 'calls' ? <b>{visible(name)}</b> : <a href={hrefOfApp(trouble)}>{visible(name)}</a>}
      {visible(after.join(`"${name}"`))}
    </>
  )
}

/** Shows a problem with its error, the calls that failed because of it, and what to do first; when solved, it is marked as over. */
function Card({trouble}: {readonly trouble: Api.Trouble}) {
  const {kind, app, name, isBad, isOver, at, error, place, failed, failedCalls, action} = trouble
  const own = appList.value.find(
    each => instanceName(each.id, each.instance) === name && each.version === trouble.version
  )
  const target = own === undefined ? name : targetOf(own).name
  const isUsable = mayChange && !isOver && connection.value.state === 'open'
  return (
    <div class={`card ${isOver ? 'good' : isBad ? 'bad' : ''}`}>
      <div>
        <p>
          {isOver && <b class="good">● over: </b>}
          <Sentence trouble={trouble} />
          {at !== null && <span class="soft">, {ago(Math.max(0, now.value - Date.parse(at)))}</span>}
        </p>
        {error !== '' && (
          <p class={isOver ? 'error soft' : 'error'}>
            {visible(error)} {place !== '' && <span class="soft">{visible(place)}</span>}
          </p>
        )}
        {failedCalls > 0 && (kind !== 'calls' || failed.length > 1) && (
          <p class="soft">
            {count(failedCalls)} {failedCalls === 1 ? 'call' : 'calls'} failed because of it:{' '}
            {failed.map(({from, to, calls}) => visible(`${from} → ${to} ${count(calls)}`)).join(', ')}
          </p>
        )}
      </div>
      <div class="tools">
        <a class="button primary" href={hrefOfAction(trouble)}>
          {action.text}
        </a>
        {kind === 'loop' && action.kind !== 'logs' && (
          <a class="button" href={hrefOf('logs', [], {app})}>
            Logs
          </a>
        )}
        {isUsable && kind === 'exit' && (
          <button type="button" onClick={() => void act(target, 'start')}>
            Start
          </button>
        )}
        {isUsable && kind === 'loop' && (
          <button type="button" onClick={() => void act(target, 'stop')}>
            Stop trying
          </button>
        )}
      </div>
    </div>
  )
}

/** Shows the problems, the worst first. `isWhole`: a card for each; else one line about the worst app that is down. */
export function Troubles({isWhole}: {readonly isWhole: boolean}) {
  const {view, rest} = route.value
  const here = hrefOf(view, rest)
  // a page about a problem says itself what it is
  const isHere = (trouble: Api.Trouble): boolean => [hrefOfApp(trouble), hrefOfAction(trouble)].includes(here)
  const isShown = (trouble: Api.Trouble): boolean => isWhole || (trouble.isBad && !trouble.isOver && !isHere(trouble))
  const all = troubles.value.filter(isShown)
  const [first] = all
  if (first === undefined) return null
  const shown = all.slice(0, isWhole ? MAX_SHOWN : 1)
  const more = all.length - shown.length
  return (
    <section class="troubles" aria-label="Trouble">
      {isWhole ? (
        shown.map(trouble => <Card key={trouble.key} trouble={trouble} />)
      ) : (
        <div class="strip bad">
          <p>
            <Sentence trouble={first} />
            {first.error !== '' && <code>{` ${visible(first.error)}`}</code>}
          </p>
          <a class="button" href={hrefOfAction(first)}>
            {first.action.text}
          </a>
          {more > 0 && <a href={hrefOf('apps')}>and {more} more</a>}
        </div>
      )}
      {isWhole && more > 0 && <p class="soft">and {more} more</p>}
    </section>
  )
}
