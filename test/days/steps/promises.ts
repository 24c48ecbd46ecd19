import {isOnly, type App} from '../app.ts'
import type {Model} from '../model.ts'
import {pick, type Kinds} from './step.ts'

const upServers = ({apps}: Model): readonly App[] =>
  [...apps.values()].filter(app => app.entry.kind === 'server' && isOnly(app, 'up'))

/** Steps of the real world alone: what a run has to keep, and what happens around it. None changes what runs. */
export const PROMISES: Kinds = {
  publish: [
    8,
    (model, {a, b}) => {
      const servers = upServers(model)
      const [from, to] = [pick(servers, a)?.entry.id, pick(servers, b)?.entry.id]
      if (from === undefined || to === undefined) return undefined
      model.called.add(to)
      return [{do: 'publish', from, to, count: 1 + (b % 5)}]
    }
  ],
  'save state': [
    6,
    (model, {a, b}) => {
      const from = pick(upServers(model), a)?.entry.id
      if (from === undefined) return undefined
      return [{do: 'save state', from, key: `key-${(b % 7).toString()}`, value: model.next().toString()}]
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
  'other run': [1, () => [{do: 'other run'}]]
}
