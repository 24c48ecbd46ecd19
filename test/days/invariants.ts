import {hasFailed, isOnly, type App, type Phase} from './app.ts'
import type {Model} from './model.ts'
import {dependsOn, nameOf, sleeps, wholeOf} from './template.ts'
import type {Call, Living, Published, Seen, Streamed, Told} from './world.ts'

/** What is seen that must not be, a sentence each. */
export function faultsOf(model: Model, seen: Seen): readonly string[] {
  if (seen.end !== undefined) return [`the run has ended: ${seen.end}`]
  const ids = new Set([...model.apps.values()].map(({entry}) => entry.id))
  return [
    ...seen.outcries,
    ...seen.strangers.map(each => `a process is left of an earlier run: ${each}`),
    ...different('ps', [...model.apps.keys()], seen.apps.map(nameOfTold)),
    ...[...model.apps.values()].flatMap(app => faultsOfApp(model, app, seen)),
    ...[...ids].flatMap(id => faultsOfLives(model, id, seen)),
    ...strayLives(model, seen),
    ...seen.calls.flatMap(call => faultsOfCall(model, call, seen)),
    ...seen.published.flatMap(event => faultsOfEvent(model, event, seen)),
    ...seen.streams.flatMap(stream => faultsOfStream(model, stream)),
    ...[...seen.ports].flatMap(([port, answer]) => faultsOfPort(model, port, answer, seen))
  ]
}

const nameOfTold = ({id, instance}: Told): string => nameOf(id, instance)

/** The phase of an app; undefined: none in which an app rests. */
export function phaseIn({name, phases}: App, told: Told, {sidecars}: Seen): Phase | undefined {
  const phase = phaseOf(told)
  // what `up --except` leaves to the user is a stopped app with an open sidecar
  return phase === 'stopped' && phases.has('excepted') && sidecars.has(name) ? 'excepted' : phase
}

/** The phase of an app as `ps` tells it. */
function phaseOf({state, isReady, exitCode}: Told): Phase | undefined {
  if (state === 'running' || state === 'starting') return isReady ? 'up' : 'unready'
  // one that was given up because of what it depends on has never had an exit
  if (state === 'idle' || (state === 'exited' && (exitCode ?? -1) < 0)) return 'waiting'
  if (state === 'exited' || state === 'backoff') return 'ended'
  if (state === 'debugging') return 'debugged'
  return state === 'stopped' || state === 'asleep' ? state : undefined
}

const different = (what: string, should: readonly string[], is: readonly string[]): readonly string[] => {
  const [a, b] = [should, is].map(ids => ids.toSorted().join(' '))
  return a === b ? [] : [`${what} shows the apps "${b ?? ''}" instead of "${a ?? ''}"`]
}

function faultsOfApp(model: Model, app: App, seen: Seen): readonly string[] {
  const {name, phases} = app
  const told = seen.apps.find(each => nameOfTold(each) === name)
  if (told === undefined) return []
  const phase = phaseIn(app, told, seen)
  const isAwake = phase === 'up' && phases.has('asleep') && isKeptAwake(model, app)
  if (phase === undefined || (!isAwake && !(phases.has(phase) && (phase !== 'up' || !sleeps(app.entry)))))
    return [`${name} is ${told.state}${told.isReady ? ', ready' : ''}, not ${[...phases].join(' or ')}`]
  const faults: string[] = []
  const isListed = seen.listed.includes(name)
  if (phase !== 'waiting' && phase !== 'excepted' && isListed !== (phase !== 'stopped'))
    faults.push(`list ${isListed ? 'shows' : 'lacks'} ${name}, which is ${phase}`)
  // one that has fallen asleep has no exit
  const code = phase === 'asleep' ? Math.max(0, told.exitCode ?? 0) : (told.exitCode ?? -1)
  if ((phase === 'ended' || phase === 'asleep') && !app.codes.has(code))
    faults.push(`${name} has ended with ${String(told.exitCode)}, not ${[...app.codes].join(' or ')}`)
  if (phase !== 'waiting' && seen.sidecars.has(name) !== (phase !== 'stopped'))
    faults.push(`the sidecar of ${name}, which is ${phase}, ${seen.sidecars.has(name) ? 'answers' : 'does not answer'}`)
  // it has slept since the last look, so that what it was started for was there; of many saves, the first may have started it, too
  if (phase === 'asleep' && model.steps <= 1 && isOnly(app, 'asleep') && !hasFailed(app)) {
    const {id} = app.entry
    const latest = seen.ended.filter(each => each.id === id).slice(-model.of(id).length)
    faults.push(...latest.flatMap(each => faultsOfContent(model, app, each)))
  }
  return [...faults, ...faultsOfProcess(model, app, phase, told, seen)]
}

const AWAKE: readonly Phase[] = ['up', 'unready', 'waiting', 'ended', 'excepted', 'debugged']

/** Another app that is awake, or kept awake, depends on it. Or another instance is in a debugger, or waits: they sleep and wake together. */
const isKeptAwake = (model: Model, {name, entry: {id}}: App): boolean =>
  model
    .of(id)
    .some(
      each => each.phases.has('debugged') || (each.name !== name && (each.mayWait || each.phases.has('waiting')))
    ) ||
  [...model.apps.values()].some(
    app =>
      dependsOn(app.entry).some(([needed]) => needed === id) &&
      (app.mayWait || AWAKE.some(each => app.phases.has(each)) || (app.phases.has('asleep') && isKeptAwake(model, app)))
  )

function faultsOfProcess(model: Model, app: App, phase: Phase, told: Told, seen: Seen): readonly string[] {
  const {name, entry} = app
  if (entry.kind === 'sidecar' || (phase !== 'up' && phase !== 'unready')) return []
  const process = seen.living.find(({pid}) => pid === told.pid)
  if (process === undefined) return [`${name} is ${phase}, and its process ${told.pid} does not live`]
  const faults = process.id === entry.id ? [] : [`the process of ${name} is one of ${process.id}`]
  if (!process.isChild) faults.push(`the process of ${name} is not a child of the run`)
  if (!app.mayBeOld) faults.push(...faultsOfContent(model, app, process))
  const answer = seen.answers.get(name)
  if (entry.kind === 'server' && answer !== `${entry.id} ${process.life}`)
    faults.push(`at the port of ${name} answers "${answer ?? ''}", not "${entry.id} ${process.life}"`)
  return faults
}

/** The environment that a process of it has from the template and its files. */
function envOf({variables, followed, how}: Model, {entry}: App): Readonly<Record<string, string>> {
  const {folder, readsFile} = entry
  const ofFile = readsFile ? {VARIABLE: (variables.get(folder) ?? 0).toString()} : {}
  return {...ofFile, ...wholeOf(entry, followed, how).env}
}

/** It has what stands in the template and in the files. */
function faultsOfContent(model: Model, app: App, {env, text}: Living): readonly string[] {
  const faults: string[] = []
  for (const [variable, value] of Object.entries(envOf(model, app)))
    if (env[variable] !== value) faults.push(`${app.name} has ${variable}=${env[variable] ?? ''}, not ${value}`)
  const should = model.texts.get(app.entry.folder) ?? ''
  if (text !== should) faults.push(`${app.name} runs with the text ${text}, not ${should}`)
  return faults
}

/** As many processes as instances that run, and as many have begun as had to. */
function faultsOfLives(model: Model, id: string, seen: Seen): readonly string[] {
  const apps = model.of(id)
  const gone = [...model.gone.values()].filter(({name, entry}) => entry.id === id && !model.apps.has(name))
  const begun = seen.begun.filter(each => each === id).length
  const min = sum(apps.map(({lives}) => lives.min))
  const max = sum([...apps, ...gone].map(({lives}) => lives.max))
  const range = min === max ? min.toString() : `${min} to ${max}`
  const faults = begun < min || begun > max ? [`${id} was started ${begun} times, not ${range}`] : []
  const living = seen.living.filter(each => each.id === id)
  const running = seen.apps.filter(told => told.id === id && ['up', 'unready'].includes(phaseOf(told) ?? ''))
  const expected = apps[0]?.entry.kind === 'sidecar' ? 0 : running.length
  const pids = living.map(({pid}) => pid).join(', ')
  if (living.length !== expected) faults.push(`${id} has ${living.length} processes, not ${expected}: ${pids}`)
  return faults
}

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0)

/** Processes of apps that the run does not have. */
function strayLives(model: Model, {living, begun}: Seen): readonly string[] {
  const alive = living
    .filter(({id}) => model.of(id).length === 0)
    .map(({id, pid}) => `${id} is not in the run, and process ${pid} lives`)
  const ids = new Set(begun.filter(id => model.of(id).length === 0))
  const started = [...ids].filter(id => {
    const gone = [...model.gone.values()].filter(({entry}) => entry.id === id)
    return begun.filter(each => each === id).length > sum(gone.map(({lives}) => lives.max))
  })
  return [...alive, ...started.map(id => `${id} is not in the run, and was started`)]
}

/** Whoever is touched by nothing but saves and edits loses no call: it waits for the next process. */
function faultsOfCall(model: Model, call: Call, seen: Seen): readonly string[] {
  const {number, from, to, status, body} = call
  const times = seen.delivered.filter(each => each === number).length
  const words = `call ${number} from ${from} to ${to}`
  const callees = model.of(to)
  if (status === undefined)
    return callees.some(app => !isOnly(app, 'up', 'ended', 'stopped', 'asleep') || model.standing(app.entry) !== 'met')
      ? []
      : [`${words} has no answer`]
  if (times > 1) return [`${words} was delivered ${times} times`]
  const isUntouched = [...model.of(from), ...callees].every(({isTouched}) => !isTouched)
  const isQuiet = isUntouched && callees.length > 0 && callees.every(app => answers(model, app))
  if (isQuiet && status !== 200) return [`${words} failed with ${status}: ${body}`]
  return status === 200 && times !== 1 ? [`${words} was answered, and not delivered`] : []
}

/** It runs, or is started by what comes. */
const answers = (model: Model, app: App): boolean =>
  isOnly(app, 'up', 'asleep') &&
  (!sleeps(app.entry) || (!model.isBad(app.entry.folder) && model.standing(app.entry) === 'met'))

/** Whoever is touched by nothing but saves gets what was acknowledged, and gets it once if no process of it was replaced. */
function faultsOfEvent(model: Model, {number, from, to, status}: Published, {received}: Seen): readonly string[] {
  const times = received.filter(each => each === number).length
  const words = `event ${number} from ${from} to ${to}`
  const callees = model.of(to)
  const isQuiet = callees.length > 0 && callees.every(app => !app.isTouched && !app.isReopened && isOnly(app, 'up'))
  if (!isQuiet) return []
  if (status === undefined) return [`${words} has no answer`]
  if (status === 204 && times === 0) return [`${words} was acknowledged, and not delivered`]
  const isSteady = callees.length === 1 && callees.every(({lives}) => lives.max === 0)
  return isSteady && times > 1 ? [`${words} was delivered ${times} times`] : []
}

/** A stream runs on as long as nothing happens to whoever reads and writes it, and is over when either has gone. */
function faultsOfStream(model: Model, {from, to, isOpen, hasMoved}: Streamed): readonly string[] {
  const ends = [model.of(from), model.of(to)]
  const words = `the stream from ${to} to ${from}`
  if (ends.some(apps => apps.length === 0)) return isOpen ? [`${words} is open, and one of them has gone`] : []
  const isSteady = ends
    .flat()
    .every(app => !app.isTouched && !app.isReopened && app.lives.max === 0 && isOnly(app, 'up'))
  if (!isSteady) return []
  return isOpen && hasMoved ? [] : [`${words} ${isOpen ? 'stands still' : 'was cut'}`]
}

/** Whose port it is is called there, as long as it is not stopped, whatever becomes of its processes. */
function faultsOfPort(model: Model, port: number, answer: string, seen: Seen): readonly string[] {
  const owner = model.followed.apps.find(({keys}) => keys.port === port)
  const all = owner === undefined ? [] : model.of(owner.id)
  const phases = all.map(app => {
    const told = seen.apps.find(each => nameOfTold(each) === app.name)
    return told && phaseIn(app, told, seen)
  })
  if (phases.every(phase => phase === 'stopped'))
    return answer === '' ? [] : [`at port ${port}, which no app has that is not stopped, answers "${answer}"`]
  const words = `at port ${port} of ${owner?.id ?? ''} answers "${answer}"`
  if (phases.includes('up')) {
    const lives = seen.living.filter(({id}) => id === owner?.id).map(({id, life}) => `${id} ${life}`)
    return lives.includes(answer) ? [] : [`${words}, not ${lives.join(' or ')}`]
  }
  if (phases.every(phase => phase === 'ended')) return answer === '503' ? [] : [`${words}, not that it has ended`]
  return answer === '' ? [words] : []
}
