import {isOnly, isSurelyAsleep, type App} from '../app.ts'
import type {Model} from '../model.ts'
import {dependsOn, isNeverReady, withNeeded, type Entry, type How, type Kind} from '../template.ts'
import {pick, type Action, type Kinds, type Plan, type Step} from './step.ts'

const COMMANDED: readonly Kind[] = ['server', 'worker', 'one-shot']
const ALL: readonly Kind[] = [...COMMANDED, 'sidecar']

/** An edit may open it again, and find that what it depends on is stopped. */
const mayBeGivenUp = (model: Model, {entry}: App): boolean => model.hasPendingEdit && dependsOn(entry).length > 0

/** Apps that surely keep the run alive: neither stopped nor done. A watched one that has crashed has not ended. */
const living = ({apps}: Model): readonly App[] =>
  [...apps.values()].filter(app => app.entry.kind !== 'one-shot' && isOnly(app, 'up', 'unready', 'ended', 'asleep'))

/** Apps that run, or that something starts; `mayRun`: that may have a process now. */
const upOrAsleepOf = (model: Model, kinds: readonly Kind[], {mayRun = false} = {}): readonly App[] =>
  [...model.apps.values()].filter(
    app => isOnly(app, 'up', 'asleep') && !(mayRun && isSurelyAsleep(app)) && kinds.includes(app.entry.kind)
  )

/** An app of the run, all of whose instances are of the user's run, not of a debugger. */
function commanded(model: Model, {a}: Step, kinds: readonly Kind[]): Entry | undefined {
  const apps = [...model.apps.values()].filter(({entry}) =>
    model.of(entry.id).every(({phases}) => !phases.has('excepted') && !phases.has('waiting'))
  )
  const entry = pick(apps, a)?.entry
  if (entry === undefined || !kinds.includes(entry.kind)) return undefined
  // what a command for all instances means where some are stopped is not said
  const [first, second = first, ...others] = model.of(entry.id).map(({phases}) => [...phases].toSorted().join())
  // one of several may be in a debugger: the first
  const isAlike = first === second || (first === 'debugged' && second === 'up')
  return isAlike && others.every(each => each === second) ? entry : undefined
}

const verb =
  (name: 'start' | 'restart', kinds: readonly Kind[]): Plan =>
  (model, step) => {
    const entry = commanded(model, step, kinds)
    if (entry === undefined) return undefined
    // the command waits until what it needs is ready
    const needed = [...withNeeded([entry.id], model.followed.apps)].flatMap(id => (id === entry.id ? [] : model.of(id)))
    const isFit = (app: App): boolean =>
      isOnly(app, 'up', 'stopped', 'ended', 'asleep') && !isNeverReady(app.entry) && !model.isBad(app.entry.folder)
    if (!needed.every(isFit)) return undefined
    // a restart of what is being debugged is refused
    if (name === 'restart' && model.of(entry.id).some(({phases}) => phases.has('debugged'))) return undefined
    model.command(name, entry.id)
    return [{do: 'pillion', args: [name, entry.id]}]
  }

/** The flags of an `up`, and what they are in the model. */
function howOf(model: Model, {a, b}: Step): How | undefined {
  const {apps} = model.written
  const id = pick(apps, b)?.id ?? ''
  const how = ([{}, {}, {hasProfile: true}, {hasMine: true}, {only: [id]}, {except: [id]}] as const)[a % 6] ?? {}
  const isSureToRun = ({id: each, kind, keys}: Entry): boolean =>
    (kind === 'server' || kind === 'worker') &&
    keys.dependsOn === undefined &&
    (keys.profiles === undefined || how.hasProfile === true) &&
    (how.only === undefined || withNeeded(how.only, apps).has(each)) &&
    how.except?.includes(each) !== true
  // what a profile leaves out cannot be left to the user, and what others wait for would let them wait
  const isWaitedFor = apps.some(app => dependsOn(app).some(([needed]) => needed === id))
  const isFit = how.except === undefined || (pick(apps, b)?.kind === 'server' && !isWaitedFor)
  const isKnown = how.hasProfile !== true || apps.some(({keys}) => keys.profiles !== undefined)
  return isFit && isKnown && apps.some(isSureToRun) ? how : undefined
}

const argsOf = ({only = [], except = [], hasProfile, hasMine}: How): readonly string[] => [
  '--watch',
  ...(only.length > 0 ? ['--only', only.join(',')] : []),
  ...(except.length > 0 ? ['--except', except.join(',')] : []),
  ...(hasProfile === true ? ['--profile', 'more'] : []),
  ...(hasMine === true ? ['-f', 'dapr.yaml', '-f', 'mine.yaml'] : [])
]

/** Ends the run, and starts the next one. */
export const again =
  (end: Action): Plan =>
  (model, step, {isPatient}) => {
    const {apps} = model.written
    const isLooping = apps.some(({folder, keys}) => keys.restart !== undefined && model.isBad(folder))
    const how = howOf(model, step)
    if (model.isBroken || how === undefined || (isLooping && !isPatient)) return undefined
    model.up(how)
    return [end, {do: 'up', args: argsOf(how)}]
  }

/** It would be started, and not get ready. */
const isNeverAwake = (app: App): boolean => app.phases.has('asleep') && isNeverReady(app.entry)

export function called(model: Model, id: string): void {
  model.called.add(id)
  for (const app of model.of(id)) model.wake(app)
}

/** Stops an app, unless that would end the run. A command under way fails for an app that needs it. */
export function stopped(model: Model, {id}: Entry): readonly Action[] | undefined {
  const mayFail = ({entry}: App): boolean =>
    model.underWay.has(entry.id) && withNeeded([entry.id], model.followed.apps).has(id)
  const mayStop = (app: App): boolean => app.entry.id === id || app.isNew || mayBeGivenUp(model, app) || mayFail(app)
  if (living(model).every(mayStop)) return undefined
  model.stop(id)
  return [{do: 'pillion', args: ['stop', id]}]
}

/** What people do besides edits and saves: commands, calls, and what happens to processes. */
export const COMMANDS: Kinds = {
  stop: [
    6,
    (model, step) => {
      const entry = commanded(model, step, ALL)
      return entry && stopped(model, entry)
    }
  ],
  start: [7, verb('start', ALL)],
  restart: [5, verb('restart', COMMANDED)],
  debug: [
    4,
    (model, step) => {
      // often one of several instances
      const several = [...model.apps.values()].filter(
        ({entry: {kind, keys}}) => kind === 'server' && (keys.replicas ?? 1) > 1
      )
      const entry =
        step.b % 2 === 0 && several.length > 0 ? pick(several, step.a)?.entry : commanded(model, step, ['server'])
      if (entry === undefined || model.called.has(entry.id)) return undefined
      if (model.of(entry.id).some(app => !isOnly(app, 'up', 'asleep'))) return undefined
      model.debug(entry.id)
      return [{do: 'pillion', args: ['debug', entry.id]}]
    }
  ],
  crash: [
    6,
    (model, {a, b}, {isPatient}) => {
      const app = pick(upOrAsleepOf(model, ['server', 'worker'], {mayRun: true}), a)
      if (app === undefined) return undefined
      const {entry, name} = app
      if (!isPatient && entry.keys.restart !== undefined && model.isBad(entry.folder)) return undefined
      const signal = b % 2 === 0 ? 'SIGKILL' : 'SIGUSR2'
      model.crashed(name, 128 + (signal === 'SIGKILL' ? 9 : 12))
      return [{do: 'kill app', name, signal}]
    }
  ],
  call: [
    8,
    (model, {a, b}) => {
      const from = pick(upOrAsleepOf(model, ALL), a)?.entry.id
      // what is in a debugger lets calls wait as long as the user likes, unless another instance is there
      const answers = ({entry}: App): boolean =>
        model.of(entry.id).some(app => isOnly(app, 'up')) ||
        model.of(entry.id).every(app => isOnly(app, 'ended', 'stopped', 'up', 'asleep') && !isNeverAwake(app))
      const callees = [...model.apps.values()].filter(
        app => app.entry.kind === 'server' && isOnly(app, 'up', 'ended', 'stopped', 'asleep') && answers(app)
      )
      const to = pick(callees, b)?.entry.id
      if (from === undefined || to === undefined) return undefined
      called(model, to)
      return [{do: 'call', from, to, count: 1 + (b % 5)}]
    }
  ],
  'call port': [
    8,
    (model, {a, b}) => {
      // before an edit is noticed the number may be another app's
      if (model.hasPendingEdit) return undefined
      const callees = [...model.apps.values()].filter(
        ({entry: {id, keys}}) =>
          keys.port !== undefined &&
          model.of(id).every(each => isOnly(each, 'up', 'ended', 'asleep') && !isNeverAwake(each))
      )
      const {id: to = '', keys: {port} = {port: undefined}} = pick(callees, a)?.entry ?? {}
      if (port === undefined) return undefined
      called(model, to)
      return [{do: 'call', from: 'outside', to, count: 1 + (b % 5), port}]
    }
  ],
  'down and up': [2, again({do: 'pillion', args: ['down']})],
  'kill and up': [1, again({do: 'kill run'})]
}
