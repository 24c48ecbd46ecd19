import {isOnly, type App, type Model, type Phase} from './model.ts'
import type {Call, Seen, Told} from './world.ts'

/** What is seen that must not be, a sentence each. */
export function faultsOf(model: Model, seen: Seen): readonly string[] {
  if (seen.end !== undefined) return [`the run has ended: ${seen.end}`]
  return [
    ...seen.outcries,
    ...seen.strangers.map(each => `a process is left of an earlier run: ${each}`),
    ...different(
      'ps',
      [...model.apps.keys()],
      seen.apps.map(({id}) => id)
    ),
    ...[...model.apps.values()].flatMap(app => faultsOfApp(model, app, seen)),
    ...strayLives(model, seen),
    ...seen.calls.flatMap(call => faultsOfCall(model, call, seen))
  ]
}

/** The phase of an app as `ps` tells it; undefined: none in which an app rests. */
export function phaseOf({state, isReady}: Told): Phase | undefined {
  if (state === 'running' && isReady) return 'up'
  if (state === 'exited' || state === 'backoff') return 'ended'
  return state === 'stopped' ? 'stopped' : undefined
}

const different = (what: string, should: readonly string[], is: readonly string[]): readonly string[] => {
  const [a, b] = [should, is].map(ids => ids.toSorted().join(' '))
  return a === b ? [] : [`${what} shows the apps "${b ?? ''}" instead of "${a ?? ''}"`]
}

function faultsOfApp(model: Model, app: App, seen: Seen): readonly string[] {
  const {entry, phases} = app
  const {id} = entry
  const told = seen.apps.find(each => each.id === id)
  if (told === undefined) return []
  const phase = phaseOf(told)
  if (phase === undefined || !phases.has(phase))
    return [`${id} is ${told.state}${told.isReady ? ', ready' : ''}, not ${[...phases].join(' or ')}`]
  const isListed = seen.listed.includes(id)
  const faults =
    isListed === (phase !== 'stopped') ? [] : [`list ${isListed ? 'shows' : 'lacks'} ${id}, which is ${phase}`]
  if (phase === 'ended' && !app.codes.has(told.exitCode ?? -1))
    faults.push(`${id} has ended with ${String(told.exitCode)}, not ${[...app.codes].join(' or ')}`)
  if (seen.sidecars.has(id) !== (phase !== 'stopped'))
    faults.push(`the sidecar of ${id}, which is ${phase}, ${seen.sidecars.has(id) ? 'answers' : 'does not answer'}`)
  return [...faults, ...faultsOfProcess(model, app, phase, told, seen)]
}

function faultsOfProcess(model: Model, app: App, phase: Phase, told: Told, seen: Seen): readonly string[] {
  const {id, kind, folder, env, readsFile} = app.entry
  const living = seen.living.filter(each => each.id === id)
  const begun = seen.begun.filter(each => each === id)
  const {min, max} = app.lives
  const faults: string[] = []
  if (begun.length < min || begun.length > max)
    faults.push(
      `${id} was started ${begun.length.toString()} times, not ${min === max ? '' : `${min.toString()} to `}${max.toString()}`
    )
  const expected = phase === 'up' && kind !== 'sidecar' ? 1 : 0
  if (living.length !== expected)
    return [
      ...faults,
      `${id} is ${phase} and has ${living.length.toString()} processes: ${living.map(({pid}) => pid).join(', ')}`
    ]
  const [process] = living
  if (process === undefined) return faults
  if (process.pid !== told.pid)
    faults.push(`the process of ${id} is ${process.pid.toString()}, and ps says ${told.pid.toString()}`)
  if (!process.isChild) faults.push(`the process of ${id} is not a child of the run`)
  const variables = readsFile ? {VARIABLE: (model.variables.get(folder) ?? 0).toString()} : {}
  for (const [name, value] of Object.entries({...model.followed.common, ...variables, ...env}))
    if (process.env[name] !== value) faults.push(`${id} has ${name}=${process.env[name] ?? ''}, not ${value}`)
  const text = (model.texts.get(folder) ?? 0).toString()
  if (process.text !== text) faults.push(`${id} runs with the text ${process.text}, not ${text}`)
  const answer = seen.answers.get(id)
  if (kind === 'server' && answer !== `${id} ${process.life}`)
    faults.push(`at the port of ${id} answers "${answer ?? ''}", not "${id} ${process.life}"`)
  return faults
}

/** Processes of apps that the run does not have. */
function strayLives({apps, gone}: Model, {living, begun}: Seen): readonly string[] {
  const alive = living
    .filter(({id}) => !apps.has(id))
    .map(({id, pid}) => `${id} is not in the run, and process ${pid.toString()} lives`)
  const ids = new Set(begun.filter(id => !apps.has(id)))
  const started = [...ids].filter(id => begun.filter(each => each === id).length > (gone.get(id)?.lives.max ?? 0))
  return [...alive, ...started.map(id => `${id} is not in the run, and was started`)]
}

/** Whoever is touched by nothing but saves loses no call. */
function faultsOfCall(model: Model, call: Call, seen: Seen): readonly string[] {
  const {number, from, to, status, body} = call
  const times = seen.delivered.filter(each => each === number).length
  const words = `call ${number} from ${from} to ${to}`
  if (status === undefined) return [`${words} has no answer`]
  if (times > 1) return [`${words} was delivered ${times.toString()} times`]
  const [caller, callee] = [from, to].map(id => model.apps.get(id))
  const isQuiet = caller?.isTouched === false && callee?.isTouched === false && isOnly(callee, 'up')
  if (isQuiet && status !== 200) return [`${words} failed with ${status.toString()}: ${body}`]
  return status === 200 && times !== 1 ? [`${words} was answered, and not delivered`] : []
}
