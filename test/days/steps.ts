import {array, constant, nat, oneof, record, sample} from 'fast-check'
import {isOnly, type App, type Model} from './model.ts'
import {brokenText, textOf, type Commands, type Entry, type Kind, type Template} from './template.ts'

/** What a person would do. Both worlds do it, and it can be printed as a script. */
export type Action =
  | {readonly do: 'write'; readonly files: Readonly<Record<string, string>>}
  /** So many further files in each of these folders, all at once, as a switch of branches writes them. */
  | {readonly do: 'write many'; readonly folders: readonly string[]; readonly count: number; readonly text: string}
  | {readonly do: 'pillion'; readonly args: readonly string[]}
  | {readonly do: 'up'; readonly args: readonly string[]}
  | {readonly do: 'kill app'; readonly id: string; readonly signal: 'SIGKILL' | 'SIGUSR2'}
  | {readonly do: 'kill run'}
  | {readonly do: 'call'; readonly from: string; readonly to: string; readonly count: number}
  /** Waits until nothing goes on any more. */
  | {readonly do: 'rest'}

/** One step of a walk: plain numbers, so that it means something in every state, and can be left out when a failure shrinks. */
export interface Step {
  readonly kind: keyof typeof KINDS
  /** Chooses an app, or another thing, of those that there are. */
  readonly a: number
  readonly b: number
  /** The next step follows without a rest. */
  readonly isHurried: boolean
}

/** Applies a step to the model, and tells what is to be done; undefined: it makes no sense now. */
type Plan = (model: Model, step: Step, commands: Commands) => readonly Action[] | undefined

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const MAX_APPS = 6
/** On a busy machine what is written at once is seen in several breaths. */
const MANY = 20
const ADDED: readonly Kind[] = ['server', 'worker', 'worker', 'job', 'sidecar']

const pick = <T>(all: readonly T[], n: number): T | undefined => all[n % Math.max(1, all.length)]

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
  comment: 'a day'
}

/** The files that must be there before the first `up`. */
export const firstFiles = (commands: Commands): Readonly<Record<string, string>> => ({
  'dapr.yaml': textOf(FIRST, commands),
  ...Object.fromEntries(FIRST.apps.flatMap(({folder}) => filesOf(folder)))
})

const filesOf = (folder: string): readonly (readonly [string, string])[] => [
  [`${folder}/version.txt`, '0'],
  [`${folder}/.env`, 'VARIABLE=0\n']
]

/** Saves the template, unless that would leave nothing that runs. */
function edited(model: Model, after: Template, commands: Commands): readonly Action[] | undefined {
  const stays = after.apps.some(({id, kind}) => kind !== 'job' && model.apps.get(id)?.phases.has('stopped') !== true)
  if (model.isUp && !stays) return undefined
  const folders = new Set(after.apps.map(({folder}) => folder).filter(folder => !model.texts.has(folder)))
  model.edit(after)
  for (const folder of folders) model.texts.set(folder, 0)
  for (const folder of folders) model.variables.set(folder, 0)
  const files = Object.fromEntries([...folders].flatMap(filesOf))
  return [
    ...(folders.size > 0 ? [{do: 'write' as const, files}] : []),
    {do: 'write', files: {'dapr.yaml': textOf(after, commands)}}
  ]
}

const editedApp =
  (change: (entry: Entry, step: Step, model: Model) => Entry | undefined): Plan =>
  (model, step, commands) => {
    const entry = pick(model.written.apps, step.a)
    const after = entry && change(entry, step, model)
    if (after === undefined) return undefined
    const apps = model.written.apps.map(each => (each === entry ? after : each))
    return edited(model, {...model.written, apps}, commands)
  }

/** Keys of an app, and values that they may get. */
const KEYS: readonly (readonly [string, readonly unknown[]])[] = [
  ['logLevel', ['debug', 'warn']],
  ['appMaxConcurrency', [7, 8]],
  ['enableApiLogging', [true]],
  ['stop', [{timeout: '4s'}, {signal: 'SIGINT'}]],
  ['ready', [{timeout: '50s'}]],
  ['maxBodySize', ['5Mi']],
  ['replay', [false]],
  ['watch', [{ignore: ['*.tmp']}]]
]

function withKey(keys: Readonly<Record<string, unknown>>, a: number, b: number): Readonly<Record<string, unknown>> {
  const [name, values] = pick(KEYS, a) ?? ['', []]
  const {[name]: before, ...others} = keys
  const value = pick(values, b)
  return before === undefined || JSON.stringify(before) !== JSON.stringify(value) ? {...others, [name]: value} : others
}

/** The apps of which one is `up` for sure. */
const upOf = (model: Model, kinds: readonly Kind[]): readonly App[] =>
  [...model.apps.values()].filter(app => isOnly(app, 'up') && kinds.includes(app.entry.kind))

const verb =
  (name: 'start' | 'restart', kinds: readonly Kind[]): Plan =>
  (model, {a}) => {
    const app = pick([...model.apps.values()], a)
    if (app === undefined || !kinds.includes(app.entry.kind)) return undefined
    model[name](app.entry.id)
    return [{do: 'pillion', args: [name, app.entry.id]}]
  }

const COMMANDED: readonly Kind[] = ['server', 'worker', 'job']
const ALL: readonly Kind[] = [...COMMANDED, 'sidecar']

/** Each with how often it comes, compared with the others. */
const KINDS = {
  add: plan(4, (model, {a, b}, commands) => {
    const {apps} = model.written
    const id = IDS.find(each => apps.every(app => app.id !== each && app.folder !== `f-${each}`))
    if (id === undefined || apps.length >= MAX_APPS) return undefined
    const entry = entryOf(pick(ADDED, a) ?? 'worker', id, model.next())
    return edited(model, {...model.written, apps: apps.toSpliced(b % (apps.length + 1), 0, entry)}, commands)
  }),
  remove: plan(4, (model, {a}, commands) => {
    const {apps} = model.written
    return apps.length < 2
      ? undefined
      : edited(model, {...model.written, apps: apps.toSpliced(a % apps.length, 1)}, commands)
  }),
  rename: plan(
    3,
    editedApp((entry, {b}, {written}) => {
      const id = pick(
        ['x', 'y', 'z'].filter(each => written.apps.every(app => app.id !== each)),
        b
      )
      return id === undefined ? undefined : {...entry, id}
    })
  ),
  'swap ids': plan(1, (model, {a, b}, commands) => {
    const {apps} = model.written
    const [one, other] = [pick(apps, a), pick(apps, b)]
    if (one === undefined || other === undefined || one.kind !== other.kind || one === other) return undefined
    const swapped = apps.map(app => (app === one ? {...app, id: other.id} : app === other ? {...app, id: one.id} : app))
    return edited(model, {...model.written, apps: swapped}, commands)
  }),
  reorder: plan(2, (model, {a}, commands) => {
    const {apps} = model.written
    const first = a % apps.length
    return edited(model, {...model.written, apps: [...apps.slice(first), ...apps.slice(0, first)]}, commands)
  }),
  'edit env': plan(
    6,
    editedApp((entry, _, model) => ({...entry, env: {MARK: model.next().toString()}}))
  ),
  'edit key': plan(
    4,
    editedApp((entry, {b}) => ({...entry, keys: withKey(entry.keys, b, b)}))
  ),
  'edit common': plan(2, (model, _, commands) =>
    edited(model, {...model.written, common: {COMMON: model.next().toString()}}, commands)
  ),
  'edit key of common': plan(1, (model, {a}, commands) =>
    edited(model, {...model.written, commonKeys: withKey(model.written.commonKeys, a % 3, a)}, commands)
  ),
  comment: plan(2, (model, _, commands) =>
    edited(model, {...model.written, comment: `note ${model.next().toString()}`}, commands)
  ),
  break: plan(2, (model, _, commands) => {
    if (model.hasPendingEdit) return undefined // nobody can say whether it was noticed before
    model.isBroken = true
    return [{do: 'write', files: {'dapr.yaml': brokenText(textOf(model.written, commands))}}]
  }),
  mend: plan(2, (model, _, commands) => (model.isBroken ? edited(model, model.written, commands) : undefined)),
  'edit .env': plan(3, (model, {a, b}) => {
    const entry = pick(model.written.apps, a)
    if (entry === undefined || model.isBroken) return undefined
    const {folder} = entry
    const isComment = b % 3 === 0
    const before = model.variables.get(folder) ?? 0
    const value = isComment ? before : model.next()
    const comment = isComment ? `# ${model.next().toString()}\n` : ''
    model.variables.set(folder, value)
    model.variable(folder, {isComment})
    return [{do: 'write', files: {[`${folder}/.env`]: `${comment}VARIABLE=${value.toString()}\n`}}]
  }),
  stop: plan(6, (model, {a}) => {
    const app = pick([...model.apps.values()], a)
    if (app === undefined || model.living.every(each => each === app || each.isNew)) return undefined
    model.stop(app.entry.id)
    return [{do: 'pillion', args: ['stop', app.entry.id]}]
  }),
  start: plan(7, verb('start', ALL)),
  restart: plan(5, verb('restart', COMMANDED)),
  save: plan(14, (model, {a}) => {
    const folder = pick(model.written.apps, a)?.folder
    if (folder === undefined) return undefined
    const text = model.next()
    model.texts.set(folder, text)
    model.saved(folder)
    return [{do: 'write', files: {[`${folder}/version.txt`]: text.toString()}}]
  }),
  'save unchanged': plan(2, (model, {a}) => {
    const folder = pick(model.written.apps, a)?.folder
    if (folder === undefined) return undefined
    return [{do: 'write', files: {[`${folder}/version.txt`]: (model.texts.get(folder) ?? 0).toString()}}]
  }),
  'switch branch': plan(2, (model, {a, b}) => {
    const {apps} = model.written
    const folders = [...new Set(apps.slice(a % apps.length).map(({folder}) => folder))]
    const text = model.next()
    for (const folder of folders) model.texts.set(folder, text)
    for (const folder of folders) model.saved(folder, MANY)
    const files = Object.fromEntries(folders.map(folder => [`${folder}/version.txt`, text.toString()]))
    const many = {do: 'write many' as const, folders, count: 50 + (b % 250), text: text.toString()}
    return b % 2 === 0 ? [{do: 'write', files}, many] : [many, {do: 'write', files}]
  }),
  crash: plan(6, (model, {a, b}) => {
    const id = pick(upOf(model, ['server', 'worker']), a)?.entry.id
    if (id === undefined) return undefined
    const signal = b % 2 === 0 ? 'SIGKILL' : 'SIGUSR2'
    model.crashed(id, 128 + (signal === 'SIGKILL' ? 9 : 12))
    return [{do: 'kill app', id, signal}]
  }),
  call: plan(8, (model, {a, b}) => {
    const from = pick(upOf(model, ALL), a)?.entry.id
    const to = pick(
      [...model.apps.values()].filter(({entry}) => entry.kind === 'server'),
      b
    )?.entry.id
    return from === undefined || to === undefined ? undefined : [{do: 'call', from, to, count: 1 + (b % 5)}]
  }),
  'down and up': plan(1, model => {
    if (model.isBroken) return undefined
    model.up()
    return [
      {do: 'pillion', args: ['down']},
      {do: 'up', args: ['--watch']}
    ]
  }),
  'kill and up': plan(1, model => {
    if (model.isBroken) return undefined
    model.up()
    return [{do: 'kill run'}, {do: 'up', args: ['--watch']}]
  })
} as const

function plan(weight: number, made: Plan): {readonly weight: number; readonly plan: Plan} {
  return {weight, plan: made}
}

/** Applies a step to the model, and tells what is to be done; undefined: it makes no sense now. */
export const planned: Plan = (model, step, commands) => KINDS[step.kind].plan(model, step, commands)

/** A step; a quarter of them come in bursts. */
const anyStep = record<Step>({
  kind: oneof(
    ...Object.entries(KINDS).map(([name, {weight}]) => ({weight, arbitrary: constant(name as Step['kind'])}))
  ),
  a: nat(1000),
  b: nat(1000),
  isHurried: nat(99).map(n => n < 25)
})

/** The walk of a seed. */
export const walkOf = (seed: number, steps: number): readonly Step[] =>
  sample(array(anyStep, {minLength: steps, maxLength: steps, size: 'max'}), {seed, numRuns: 1, unbiased: true})[0] ?? []
