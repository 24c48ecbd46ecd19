import {isOnly} from '../app.ts'
import type {Model} from '../model.ts'
import {
  brokenText,
  dependsOn,
  isLeftOut,
  mineText,
  NEVER_READY,
  sound,
  textOf,
  type Entry,
  type Keys,
  type Kind,
  type Template
} from '../template.ts'
import {called} from './commands.ts'
import {pick, type Action, type Kinds, type Place, type Plan, type Step} from './step.ts'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const MAX_APPS = 6
/** How many come while an edit is noticed and done. */
const CALLS = 20
const ADDED: readonly Kind[] = ['server', 'worker', 'worker', 'one-shot', 'sidecar']

const entryOf = (kind: Kind, id: string, mark: number): Entry => ({
  id,
  folder: `f-${id}`,
  kind,
  env: {MARK: mark.toString()},
  keys: {},
  readsFile: kind === 'worker'
})

/** The template of the first day. */
export const FIRST: Template = {
  apps: [entryOf('server', 'a', 0), entryOf('worker', 'b', 0), entryOf('worker', 'c', 0)],
  common: {COMMON: '0'},
  commonKeys: {},
  mine: {MINE: '0'},
  comment: 'a day'
}

/** The files that must be there before the first `up`. */
export const firstFiles = (template: Template, {commands}: Place): Readonly<Record<string, string>> => ({
  'mine.yaml': mineText(template),
  'dapr.yaml': textOf(template, commands),
  ...Object.fromEntries(template.apps.flatMap(({folder}) => filesOf(folder)))
})

const filesOf = (folder: string): readonly (readonly [string, string])[] => [
  [`${folder}/version.txt`, '0'],
  [`${folder}/.env`, 'VARIABLE=0\n']
]

/** Saves the template, unless that would leave nothing that runs. */
function edited(model: Model, wanted: Template, {commands}: Place): readonly Action[] | undefined {
  const after = sound(wanted)
  const isSureToRun = (entry: Entry): boolean => {
    // under --only the edit may leave out what an app has needed until now
    if (entry.kind === 'one-shot' || isLeftOut(entry, model.how, after.apps)) return false
    const apps = model.of(entry.id)
    if (apps.length > 0)
      return apps.some(app => isOnly(app, 'up', 'unready', 'ended', 'asleep')) && dependsOn(entry).length === 0
    return dependsOn(entry).length === 0 && model.how.only === undefined
  }
  if (model.isUp && !after.apps.some(isSureToRun)) return undefined
  const {only = [], except = []} = model.how
  // a flag that names no app of the template is a mistake
  if ([...only, ...except].some(id => after.apps.every(app => app.id !== id))) return undefined
  if (model.how.hasProfile === true && after.apps.every(({keys}) => keys.profiles === undefined)) return undefined
  const folders = new Set(after.apps.map(({folder}) => folder).filter(folder => !model.texts.has(folder)))
  for (const folder of folders) model.hasFolder(folder)
  model.edit(after)
  const files = Object.fromEntries([...folders].flatMap(filesOf))
  return [
    ...(folders.size > 0 ? [{do: 'write' as const, files}] : []),
    {do: 'write', files: {'dapr.yaml': textOf(after, commands)}}
  ]
}

const editedApp =
  (change: (entry: Entry, step: Step, model: Model, place: Place) => Entry | undefined): Plan =>
  (model, step, place) => {
    const entry = pick(model.written.apps, step.a)
    const after = entry && change(entry, step, model, place)
    if (after === undefined) return undefined
    const apps = model.written.apps.map(each => (each === entry ? after : each))
    return edited(model, {...model.written, apps}, place)
  }

/** Keys of an app, and values that they may get; the first three may stand in `common`, too. */
const KEYS: readonly (readonly [string, readonly unknown[]])[] = [
  ['logLevel', ['debug', 'warn']],
  ['appMaxConcurrency', [7, 8]],
  ['enableApiLogging', [true]],
  ['stop', [{timeout: '4s'}, {signal: 'SIGINT'}]],
  ['maxBodySize', ['5Mi']],
  ['replay', [false]],
  ['watch', [{ignore: ['*.tmp']}]],
  ['restart', ['on-failure', 'always']]
]

function withKey(keys: Keys, a: number, b: number): Keys {
  const [name, values] = pick(KEYS, a) ?? ['', []]
  const {[name]: before, ...others} = keys
  const value = pick(values, b)
  return before === undefined || JSON.stringify(before) !== JSON.stringify(value) ? {...others, [name]: value} : others
}

/** Its keys with this one in the place of others that do not go with it, or without it. */
const toggled = (
  {reload: _r, replicas: _i, ready: _d, ...others}: Keys,
  key: keyof Keys,
  value: unknown,
  was: Keys
): Keys => (JSON.stringify(was[key]) === JSON.stringify(value) ? others : {...others, [key]: value})

/** The same while apps call each other, or are called from outside. */
const underCalls =
  (edit: Plan): Plan =>
  (model, step, place) => {
    const {a, b} = step
    const up = [...model.apps.values()].filter(app => isOnly(app, 'up'))
    const callee = pick(
      up.filter(({entry}) => entry.kind === 'server'),
      b
    )?.entry
    // before an edit is noticed the number may be another app's
    const port = a % 3 === 0 && !model.hasPendingEdit ? callee?.keys.port : undefined
    const from = port === undefined ? pick(up, a)?.entry.id : 'outside'
    if (callee === undefined || from === undefined) return undefined
    called(model, callee.id)
    const [action, ...others] = edit(model, step, place) ?? []
    if (action?.do !== 'write' || others.length > 0) return undefined
    called(model, callee.id)
    return [{...action, do: 'write under calls', from, to: callee.id, count: CALLS, ...(port !== undefined && {port})}]
  }

const editCommon: Plan = (model, _, place) =>
  edited(model, {...model.written, common: {COMMON: model.next().toString()}}, place)

const editKeyOfCommon: Plan = (model, {a}, place) =>
  edited(model, {...model.written, commonKeys: withKey(model.written.commonKeys, a % 3, a)}, place)

/** Edits of the template and of the files that it names. */
export const EDITS: Kinds = {
  add: [
    4,
    (model, {a, b}, place) => {
      const {apps} = model.written
      const id = IDS.find(each => apps.every(app => app.id !== each && app.folder !== `f-${each}`))
      if (id === undefined || apps.length >= MAX_APPS) return undefined
      const plain = entryOf(pick(ADDED, a) ?? 'worker', id, model.next())
      // an app that a command has started stays in the run if it keeps its id
      const entry = b % 5 === 0 && !model.gone.has(id) ? {...plain, keys: {profiles: ['more']}} : plain
      return edited(model, {...model.written, apps: apps.toSpliced(b % (apps.length + 1), 0, entry)}, place)
    }
  ],
  remove: [
    4,
    (model, {a}, place) => {
      const {apps} = model.written
      if (apps.length < 2) return undefined
      return edited(model, {...model.written, apps: apps.toSpliced(a % apps.length, 1)}, place)
    }
  ],
  rename: [
    3,
    editedApp((entry, {b}, {written, gone}) => {
      // an app that a command has just stopped stays stopped if it keeps its id
      const isFree = (id: string): boolean =>
        written.apps.every(app => app.id !== id) && gone.get(id)?.phases.has('stopped') !== true
      const ids = ['x', 'y', 'z'].filter(isFree)
      const id = pick(ids, b)
      return id === undefined ? undefined : {...entry, id}
    })
  ],
  'swap ids': [
    1,
    (model, {a, b}, place) => {
      const {apps} = model.written
      const [one, other] = [pick(apps, a), pick(apps, b)]
      if (one === undefined || other === undefined || one.kind !== other.kind || one === other) return undefined
      const {id} = one
      const swapped = apps.map(app => (app === one ? {...app, id: other.id} : app === other ? {...app, id} : app))
      return edited(model, {...model.written, apps: swapped}, place)
    }
  ],
  reorder: [
    2,
    (model, {a}, place) => {
      const {apps} = model.written
      const first = a % apps.length
      return edited(model, {...model.written, apps: [...apps.slice(first), ...apps.slice(0, first)]}, place)
    }
  ],
  'edit env': [6, editedApp((entry, _, model) => ({...entry, env: {MARK: model.next().toString()}}))],
  // a one-shot app that is restarted always never ends
  'edit key': [
    4,
    editedApp((entry, {b}, model, {isPatient}) => {
      const keys = withKey(entry.keys, b, entry.kind === 'one-shot' ? 0 : b)
      // such an app would be started again for minutes
      return !isPatient && keys.restart !== undefined && model.isBad(entry.folder) ? undefined : {...entry, keys}
    })
  ],
  'edit reload': [
    2,
    editedApp(entry =>
      entry.kind === 'server' ? {...entry, keys: toggled(entry.keys, 'reload', 'overlap', entry.keys)} : undefined
    )
  ],
  'edit replicas': [
    3,
    editedApp(({kind, keys, ...entry}, {b}) =>
      kind === 'server' || kind === 'worker'
        ? {...entry, kind, keys: toggled(keys, 'replicas', 2 + (b % 2), keys)}
        : undefined
    )
  ],
  'edit readiness': [
    1,
    editedApp((entry, _, {called}) =>
      entry.kind === 'server' && !called.has(entry.id)
        ? {...entry, keys: toggled(entry.keys, 'ready', NEVER_READY, entry.keys)}
        : undefined
    )
  ],
  'edit dependencies': [
    5,
    editedApp((entry, {b}, {written}) => {
      const {dependsOn: before = {}, ...others} = entry.keys
      const needed = pick(
        written.apps.filter(({id, kind}) => id < entry.id && kind !== 'sidecar'),
        b
      )
      if (needed === undefined) return undefined
      const {[needed.id]: was, ...left} = before
      const condition = needed.kind === 'one-shot' ? 'completed' : b % 2 === 0 ? 'ready' : 'started'
      return {...entry, keys: {...others, dependsOn: was === undefined ? {...before, [needed.id]: condition} : left}}
    })
  ],
  'edit port': [
    4,
    editedApp((entry, {b}, {written}, {ports}) => {
      const {port, ...keys} = entry.keys
      const free = ports.filter(each => written.apps.every(app => app.keys.port !== each))
      const number = port !== undefined && b % 3 === 0 ? undefined : pick(free, b)
      if (entry.kind !== 'server' || number === port) return undefined
      return {...entry, keys: number === undefined ? keys : {...keys, port: number}}
    })
  ],
  'swap ports': [
    2,
    (model, {a, b}, place) => {
      const servers = model.written.apps.filter(({kind}) => kind === 'server')
      const [one, other] = [pick(servers, a), pick(servers, b)]
      if (one === undefined || other === undefined || one.keys.port === other.keys.port) return undefined
      const apps = model.written.apps.map(app => {
        if (app !== one && app !== other) return app
        const {port: _, ...keys} = app.keys
        const {port} = app === one ? other.keys : one.keys
        return {...app, keys: port === undefined ? keys : {...keys, port}}
      })
      return edited(model, {...model.written, apps}, place)
    }
  ],
  'edit common': [2, editCommon],
  'edit key of common': [1, editKeyOfCommon],
  'edit common under calls': [2, underCalls(editCommon)],
  'edit key of common under calls': [1, underCalls(editKeyOfCommon)],
  'edit mine': [
    2,
    (model, _, place) => {
      if (model.isBroken) return undefined
      const after = {...model.written, mine: {MINE: model.next().toString()}}
      return edited(model, after, place) && [{do: 'write', files: {'mine.yaml': mineText(after)}}]
    }
  ],
  comment: [2, (model, _, place) => edited(model, {...model.written, comment: `note ${model.next()}`}, place)],
  break: [
    2,
    (model, _, {commands}) => {
      if (model.hasPendingEdit) return undefined // nobody can say whether it was noticed before
      model.isBroken = true
      return [{do: 'write', files: {'dapr.yaml': brokenText(textOf(model.written, commands))}}]
    }
  ],
  mend: [2, (model, _, place) => (model.isBroken ? edited(model, model.written, place) : undefined)],
  'edit .env': [
    3,
    (model, {a, b}) => {
      const entry = pick(model.written.apps, a)
      if (entry === undefined || model.isBroken) return undefined
      const {folder} = entry
      const isComment = b % 3 === 0
      const before = model.variables.get(folder) ?? 0
      const value = isComment ? before : model.next()
      const comment = isComment ? `# ${model.next()}\n` : ''
      model.variables.set(folder, value)
      model.variable(folder, {isComment})
      return [{do: 'write', files: {[`${folder}/.env`]: `${comment}VARIABLE=${value}\n`}}]
    }
  ]
}
