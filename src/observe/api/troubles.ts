import {shownCause} from '../../model/call-end.ts'
import type * as Api from '../../model/api.generated.ts'
import {stateWord, breakerText, waitingEventsText, waitingWorkText} from '../../model/app-words.ts'
import {roughDuration} from '../../model/duration.ts'
import {loopText, WAITS_FOR_SAVE} from '../../model/exit-text.ts'
import {instanceName, versionedName} from '../../model/plan.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import type {Death} from '../telemetry/recorder/deaths.ts'
import {deathFacts} from './death-view.ts'
import {failuresOf, type FailedCalls} from './failed-calls.ts'
import type {RunFacts} from './run-facts.ts'

/** Time to become ready after which an app counts as a trouble, in ms. */
const SLOW_START_MS = 60_000
/** Time in ms after an exit for which it stays listed although the app is ready again. */
const HELD_MS = 30_000

/** Values of the fields that most troubles do not set. */
const PLAIN = {version: '', isBad: false, isOver: false, at: null, error: '', place: '', death: 0, request: null}

/** A trouble without the calls that failed because of it. */
type Found = Omit<Api.Trouble, 'failed' | 'failedCalls'>
/** `callee`: the app's name in calls, with its version if that is not the main one. */
type FoundOf = Found & {readonly callee: string}

/** Returns the troubles that need a person, the worst first: one entry per cause, with the calls that failed because of it (docs/states.md). */
export async function troublesOf(facts: RunFacts, masking: Masking): Promise<readonly Api.Trouble[]> {
  const {control, deaths, apps} = facts
  const found: FoundOf[] = []
  for (const app of control.list().apps) {
    const name = instanceName(app.id, app.instance)
    const isIt = (each: {readonly name: string; readonly version: string}): boolean =>
      each.name === name && each.version === app.version
    const death = deaths?.all(app.id).findLast(isIt)
    const reason = apps().find(isIt)?.reason ?? ''
    const own = [...(await stateTroubles(app, {name, reason, death, masking})), ...otherTroubles(app, name)]
    const {id, version, isMain} = app
    const callee = isMain ? id : `${id}@${version}`
    found.push(...own.map(trouble => ({...trouble, version, callee, key: versionedName({name: trouble.key, version})})))
  }
  const since = Math.min(...found.map(({at}) => (at === null ? Infinity : Date.parse(at))))
  const failures = failuresOf(facts.recorder, {masking, since})
  const troubles = found.map(trouble => withFailures(trouble, found, failures))
  const known = new Set(found.filter(explainsFailures).map(({callee}) => callee))
  const others = failures.filter(({to, recent}) => !known.has(to) && recent.failed > 0).map(callsTrouble)
  return [...troubles, ...others].toSorted((a, b) => rank(a) - rank(b) || timeOf(b) - timeOf(a))
}

const rank = ({isBad, isOver}: Api.Trouble): number => (isOver ? 2 : isBad ? 0 : 1)
const timeOf = ({at}: Api.Trouble): number => (at === null ? 0 : Date.parse(at))

/** Whether calls to an app with this trouble fail because of it. */
const explainsFailures = ({kind}: Found): boolean => !['work', 'events', 'calls'].includes(kind)

function withFailures(found: FoundOf, all: readonly FoundOf[], failures: readonly FailedCalls[]): Api.Trouble {
  const {callee, ...trouble} = found
  // of several troubles of one app the first has caused the failures
  const isFirst = all.find(each => each.callee === callee && explainsFailures(each)) === found
  const calls = isFirst ? failures.find(({to}) => to === callee) : undefined
  return {...trouble, failed: calls?.edges ?? [], failedCalls: calls?.count ?? 0}
}

interface Known {
  readonly name: string
  /** Why calls to the app wait or fail. */
  readonly reason: string
  readonly death: Death | undefined
  readonly masking: Masking
}

/** Returns the trouble that the state of an app shows, if any: an exit, a failed dependency, or a slow start. */
async function stateTroubles(app: Api.App, {name, reason, death, masking}: Known): Promise<readonly Found[]> {
  const word = stateWord(app)
  const now = Date.now()
  const plain = {...PLAIN, app: app.id, name}
  if (word === 'looping' || word === 'down' || word === 'restarting' || isJustOver(app, death, now)) {
    const isOver = !['looping', 'down', 'restarting'].includes(word)
    // runs each second, so it leaves out the last lines, which may be many megabytes
    const view = death && deathFacts(death, masking)
    const next = word === 'restarting' ? ', restarting' : app.state === 'backoff' ? `, ${WAITS_FOR_SAVE}` : ''
    const sentence = view?.text ?? `"${name}" ${app.exit}`
    return [
      {
        ...plain,
        kind: app.loop === null ? 'exit' : 'loop',
        key: `exit ${name}`,
        isBad: !isOver,
        isOver,
        at: view?.at ?? null,
        text:
          app.loop === null
            ? `${sentence}${isOver ? ', and is ready again' : next}`
            : `"${name}" ${loopText(app.loop)}`,
        error: view?.reason ?? '',
        place: (await death?.place()) ?? '',
        death: view?.number ?? 0,
        request: requestOf(view),
        action: actionOf(app.id, view)
      }
    ]
  }
  if (app.availability === 'never')
    return [{...plain, kind: 'blocked', key: `blocked ${name}`, isBad: true, text: reason, action: whyAction(app.id)}]
  const forMs = app.startedAt === null ? 0 : now - Date.parse(app.startedAt)
  if (app.availability !== 'waiting' || forMs < SLOW_START_MS) return []
  const text = reason === '' ? `"${name}" is not ready` : reason
  return [
    {
      ...plain,
      kind: 'slow',
      key: `slow ${name}`,
      at: app.startedAt,
      text: `${text}, ${roughDuration(Math.floor(forMs / SLOW_START_MS) * SLOW_START_MS)} after its start`,
      action: logsAction(app.id)
    }
  ]
}

type Facts = ReturnType<typeof deathFacts>

/** Whether an app exited by itself less than half a minute ago, and is ready again. */
const isJustOver = (app: Api.App, death: Death | undefined, now: number): boolean =>
  app.isReady && death !== undefined && now - death.at < HELD_MS

const requestOf = (view: Facts | undefined): Api.Trouble['request'] => {
  const [call] = view?.inside ?? []
  if (call === undefined) return null
  const {number, from, method, path, forMs} = call
  return {number, from, method, path, ms: forMs, status: ''}
}

function actionOf(app: string, view: Facts | undefined): Api.Trouble['action'] {
  const [call] = view?.inside ?? []
  if (call !== undefined) return {kind: 'request', text: 'Show the request', command: `pillion trace ${call.number}`}
  return view === undefined ? logsAction(app) : whyAction(app)
}

const actionTo =
  (kind: Api.Trouble['action']['kind'], text: string, command: string) =>
  (about: string): Api.Trouble['action'] => ({kind, text, command: command.replace('…', () => about)})

const whyAction = actionTo('exit', 'Show why', 'pillion why …')
const logsAction = actionTo('logs', 'Show its log', 'pillion logs --app-id …')
const failedCallsAction = actionTo('calls', 'Show failed calls', 'pillion calls … is:failed')
const workflowsAction = actionTo('workflows', 'Show workflows', 'pillion workflow list')

/** Returns the troubles of an app that its state does not show. */
function otherTroubles({id, circuitBreakers, waitingWork, waitingEvents}: Api.App, name: string): readonly Found[] {
  const trouble = (kind: Found['kind'], about: string, text: string, action: Found['action']): Found => ({
    ...PLAIN,
    app: id,
    name,
    kind,
    text,
    action,
    key: [kind, name, about].filter(word => word !== '').join(' ')
  })
  const open = circuitBreakers.filter(({state}) => state === 'open')
  const [work, events] = [waitingWorkText(name, waitingWork), waitingEventsText(name, waitingEvents)]
  return [
    ...open.map(breaker => {
      const text = `${breakerText(name, breaker)}: calls fail unsent`
      return trouble('breaker', breaker.name, text, failedCallsAction(`from:${id}`))
    }),
    ...(waitingWork > 0 ? [trouble('work', '', work, workflowsAction(''))] : []),
    ...(waitingEvents > 0 ? [trouble('events', '', events, logsAction(id))] : [])
  ]
}

/** Reports failing calls that the callee's state does not explain. */
function callsTrouble({to, recent, edges, count, faulty, latest}: FailedCalls): Api.Trouble {
  const fault = faulty === 0 ? '' : faulty === recent.failed ? ', by a fault' : `, ${faulty} of them by a fault`
  return {
    ...PLAIN,
    key: `calls ${to}`,
    kind: 'calls',
    app: to,
    name: to,
    at: latest.at,
    text: `${recent.failed} of ${recent.calls} calls to "${to}" failed in the last minute${fault}`,
    error: shownCause(latest.failure),
    request: latest.request,
    failed: edges,
    failedCalls: count,
    action: failedCallsAction(`to:${to}`)
  }
}
