import {isOnly, type App} from '../app.ts'
import type {Model} from '../model.ts'
import {isNeverReady, sleeps} from '../template.ts'
import {again, called, stopped} from './commands.ts'
import {pick, type Action, type Kinds} from './step.ts'

const upServers = ({apps}: Model): readonly App[] =>
  [...apps.values()].filter(app => app.entry.kind === 'server' && isOnly(app, 'up'))

/** Those that a call starts. */
const asleep = ({apps}: Model): readonly App[] =>
  [...apps.values()].filter(app => isOnly(app, 'asleep') && !isNeverReady(app.entry))

/** Events for a stopped one wait at Redis; when they start one that sleeps is not for the model to say. */
const upOrStopped = ({apps}: Model): readonly App[] =>
  [...apps.values()].filter(
    app => app.entry.kind === 'server' && !sleeps(app.entry) && (isOnly(app, 'up') || isOnly(app, 'stopped'))
  )

/** Servers that have work of their own; when that starts one that sleeps is not for the model to say. */
const hosts = (model: Model): readonly App[] =>
  upServers(model).filter(({entry}) => !sleeps(entry) && model.of(entry.id).every(each => isOnly(each, 'up')))

const MAX_DUE_MS = 3000

const planned = (from: string, b: number): Action => ({
  do: 'plan',
  kind: b % 2 === 0 ? 'job' : 'reminder',
  from,
  afterMs: (b * 7) % MAX_DUE_MS
})

const killAndUp = again({do: 'kill run'})

/** Steps of the real world alone: what a run has to keep, and what happens around it. None changes what runs. */
export const PROMISES: Kinds = {
  publish: [
    8,
    (model, {a, b}) => {
      const [from, to] = [pick(upServers(model), a)?.entry.id, pick(upOrStopped(model), b)?.entry.id]
      if (from === undefined || to === undefined) return undefined
      // a broker in memory is that of one sidecar
      const bus = from === to && b % 2 === 0 ? 'bus' : 'redis'
      model.called.add(to)
      return [{do: 'publish', from, to, count: 1 + (b % 5), bus}]
    }
  ],
  'events over a kill': [
    3,
    (model, step, place) => {
      const {a, b} = step
      const [from, to] = [pick(upServers(model), a)?.entry.id, pick(upOrStopped(model), b)?.entry.id]
      if (from === undefined || to === undefined) return undefined
      const end = killAndUp(model, {...step, b: a}, place)
      const isOld = b % 3 > 0
      return (
        end && [
          {do: 'publish', from, to, count: 1 + (b % 9), bus: 'redis'},
          {do: 'save state', from, store: 'kept', key: 'over', value: model.next().toString()},
          ...(isOld ? [{do: 'pause' as const, ms: 1500}] : []),
          ...end
        ]
      )
    }
  ],
  'start workflow': [
    4,
    (model, {a}) => {
      const from = pick(upServers(model), a)?.entry.id
      return from === undefined ? undefined : [{do: 'start workflow', from, id: `w${model.next()}`}]
    }
  ],
  plan: [
    4,
    (model, {a, b}) => {
      const from = pick(hosts(model), a)?.entry.id
      return from === undefined ? undefined : [planned(from, b)]
    }
  ],
  'stop a host': [
    3,
    (model, {a, b}) => {
      const entry = pick(hosts(model), a)?.entry
      const stop = entry && stopped(model, entry)
      return stop && [planned(entry.id, b), planned(entry.id, b + 1), ...stop]
    }
  ],
  'raise event': [
    4,
    (model, {a}) => {
      const from = pick(upServers(model), a)?.entry.id
      return from === undefined ? undefined : [{do: 'raise event', from}]
    }
  ],
  'workflow over a kill': [
    2,
    (model, step, place) => {
      const from = pick(upServers(model), step.a)?.entry.id
      const end = from === undefined ? undefined : killAndUp(model, {...step, a: step.b}, place)
      if (from === undefined || end === undefined) return undefined
      const start = {do: 'start workflow' as const, from, id: `w${model.next()}`}
      const raise = {do: 'raise event' as const, from}
      return step.b % 2 === 0 ? [start, raise, ...end] : [start, ...end, raise]
    }
  ],
  'grpc call': [
    4,
    (model, {a, b}) => {
      const servers = [...upServers(model), ...asleep(model)]
      const [from, to] = [pick(servers, a)?.entry.id, pick(servers, b)?.entry.id]
      if (from === undefined || to === undefined) return undefined
      called(model, to)
      return [{do: 'call', from, to, count: 1 + (b % 3), isGrpc: true}]
    }
  ],
  stream: [
    3,
    (model, {a, b}) => {
      const servers = upServers(model)
      const [from, to] = [pick(servers, a)?.entry.id, pick(servers, b)?.entry.id]
      if (from === undefined || to === undefined) return undefined
      model.called.add(to)
      return [{do: 'stream', from, to}]
    }
  ],
  'save state': [
    6,
    (model, {a, b}) => {
      const from = pick(upServers(model), a)?.entry.id
      if (from === undefined) return undefined
      return [
        {
          do: 'save state',
          from,
          store: b % 2 === 0 ? 'store' : 'kept',
          key: `key-${b % 7}`,
          value: model.next().toString()
        }
      ]
    }
  ],
  flood: [
    4,
    (model, {a, b}) => {
      const app = pick(upServers(model), a)
      if (app === undefined) return undefined
      return [{do: 'flood', name: app.name, folder: app.entry.folder, count: 1000 + 20 * b}]
    }
  ],
  'suspend run': [2, () => [{do: 'suspend', name: undefined}]],
  'suspend app': [
    2,
    (model, {a}) => {
      const name = pick(upServers(model), a)?.name
      return name === undefined ? undefined : [{do: 'suspend', name}]
    }
  ],
  'other run': [1, () => [{do: 'other run'}]],
  'second run': [2, (model, {a}) => (model.isBroken ? undefined : [{do: 'second run', isNamed: a % 2 === 0}])],
  'second up': [
    2,
    (model, {a}) =>
      model.isBroken ? undefined : [{do: 'second up', flags: pick([[], ['-d'], ['--watch'], ['-f', '.']], a) ?? []}]
  ],
  'take ports': [
    3,
    (model, {a}) => {
      const stopped = [...model.apps.values()].filter(app => isOnly(app, 'stopped') && model.steps <= 1)
      const name = pick(stopped, a)?.name
      return name === undefined ? undefined : [{do: 'take ports', name}]
    }
  ],
  'free ports': [1, () => [{do: 'free ports'}]],
  'few descriptors': [
    2,
    (model, {a, b}, {whyNoLimits}) => {
      const servers = upServers(model)
      const [from, to] = [pick(servers, a)?.entry.id, pick(servers, b)?.entry.id]
      // what else is under way then may fail
      if (from === undefined || to === undefined || model.steps > 1 || whyNoLimits !== '') return undefined
      for (const app of model.apps.values()) app.isTouched = true
      model.called.add(to)
      return [{do: 'few descriptors', from, to}]
    }
  ],
  'full disk': [
    2,
    (model, {a}, {whyNoLimits}) => {
      const app = pick(upServers(model), a)
      if (app === undefined || model.steps > 1 || whyNoLimits !== '') return undefined
      return [{do: 'full disk', name: app.name, folder: app.entry.folder}]
    }
  ]
}
