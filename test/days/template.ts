/** What an app of the walk is: a program with a port, one without, one that ends at once, or a sidecar alone. */
export type Kind = 'server' | 'worker' | 'one-shot' | 'sidecar'

/** What an app may wait for, as `dependsOn` names it. */
export type Condition = 'started' | 'ready' | 'completed'

/** Keys of an entry that the model knows the meaning of; others only have to restart the app when they change. */
export interface Keys {
  readonly restart?: 'on-failure' | 'always'
  readonly reload?: 'overlap'
  readonly replicas?: number
  readonly dependsOn?: Readonly<Record<string, Condition>>
  readonly profiles?: readonly string[]
  readonly ready?: Readonly<Record<string, string>>
  /** Where others call it, without Dapr's API. */
  readonly port?: number
  readonly [other: string]: unknown
}

export interface Entry {
  readonly id: string
  readonly folder: string
  readonly kind: Kind
  readonly env: Readonly<Record<string, string>>
  /** Further keys of the entry, as the template has them. */
  readonly keys: Keys
  /** It reads `.env` in its folder. */
  readonly readsFile: boolean
}

export interface Template {
  readonly apps: readonly Entry[]
  readonly common: Readonly<Record<string, string>>
  /** Keys of `common` besides `env`. */
  readonly commonKeys: Readonly<Record<string, unknown>>
  /** What a second file, `mine.yaml`, adds to the environment of all apps. */
  readonly mine: Readonly<Record<string, string>>
  readonly comment: string
}

/** The flags of `pillion up --watch`. */
export interface How {
  readonly only?: readonly string[]
  readonly except?: readonly string[]
  readonly hasProfile?: boolean
  /** `-f mine.yaml` overrides the template. */
  readonly hasMine?: boolean
}

/** The command of a kind of app, which each world has of its own. */
export type Commands = Readonly<Record<Kind, readonly string[]>>

/** `npm run days -- --lazy`: every other app that is a server starts with its first call, and sleeps when it is idle. */
export const lazyDays = {areOn: false}

const LAZY_KEYS = {lazy: true, idleTimeout: '200ms'} as const

/** It may have a process or none at any time: calls to it are answered all the same. */
export const sleeps = ({id, kind}: Entry): boolean => lazyDays.areOn && kind === 'server' && id.charCodeAt(0) % 2 === 1

/** A path that never answers: an app with this probe never becomes ready. */
export const NEVER_READY = {http: '/never', timeout: '1s'} as const

export const dependsOn = ({keys}: Entry): readonly (readonly [string, Condition])[] =>
  Object.entries(keys.dependsOn ?? {})

export const isNeverReady = ({keys}: Entry): boolean => keys.ready?.['http'] !== undefined

/** The names of its instances: `a`, `a.2` … */
export const namesOf = ({id, keys: {replicas = 1}}: Entry): readonly string[] =>
  Array.from({length: replicas}, (_, i) => nameOf(id, i + 1))

export const nameOf = (id: string, instance: number): string => (instance === 1 ? id : `${id}.${instance}`)

/** The entry, and what it depends on, directly or not. */
export function withNeeded(ids: readonly string[], apps: readonly Entry[]): ReadonlySet<string> {
  const all = new Set(ids)
  for (const id of all)
    for (const [needed] of apps.flatMap(app => (app.id === id ? dependsOn(app) : []))) all.add(needed)
  return all
}

/** Whether the flags of `up` leave it to the user to start it. */
export function isLeftOut({id, keys}: Entry, {only, hasProfile = false}: How, apps: readonly Entry[]): boolean {
  if (only !== undefined) return !withNeeded(only, apps).has(id)
  return keys.profiles !== undefined && !hasProfile
}

/** Without dependencies on what is not there, or may be left out; each app depends on earlier letters alone, so that there is no cycle. */
export const sound = (template: Template): Template => ({
  ...template,
  apps: template.apps.map(entry => {
    const {dependsOn: edges, ...others} = entry.keys
    if (edges === undefined) return entry
    const left = Object.entries(edges).filter(([id, condition]) =>
      template.apps.some(app => app.id === id && id < entry.id && isFit(app, condition))
    )
    return {...entry, keys: left.length === 0 ? others : {...others, dependsOn: Object.fromEntries(left)}}
  })
})

/** Whether a template may ask for this of the app. */
const isFit = ({kind, keys}: Entry, condition: Condition): boolean =>
  keys.profiles === undefined && (condition === 'completed') === (kind === 'one-shot')

/** An entry with what `common` and a second file give it. */
export const wholeOf = (
  entry: Entry,
  {common, commonKeys, mine}: Template,
  {hasMine = false}: {readonly hasMine?: boolean}
): Entry => ({...entry, env: {...common, ...(hasMine && mine), ...entry.env}, keys: {...commonKeys, ...entry.keys}})

/** Whether an edit of `watch`, or of the number of instances, restarts an app is not said. */
export function withoutUnsaid({keys: {watch: _w, replicas: _r, ...keys}, ...entry}: Entry): Entry {
  return {...entry, keys}
}

/** JSON is YAML; a line for each app, so that a person sees what an edit changes. */
export function textOf({apps, common, commonKeys, comment}: Template, commands: Commands): string {
  const lines = apps.map(entry => `  - ${JSON.stringify(written(entry, commands))}\n`)
  return `# ${comment}\nversion: 1\ncommon: ${JSON.stringify({env: common, ...commonKeys})}\napps:\n${lines.join('')}`
}

/** The second file, with which `up -f dapr.yaml -f mine.yaml` overrides the first. */
export const mineText = ({mine}: Template): string => `common: ${JSON.stringify({env: mine})}\n`

const written = (entry: Entry, commands: Commands): object => {
  const {id, folder, kind, env, keys, readsFile} = entry
  return {
    appID: id,
    appDirPath: folder,
    ...(kind === 'sidecar' ? {} : {command: commands[kind]}),
    ...(kind === 'server' ? {autoPort: true} : {}),
    ...(sleeps(entry) ? LAZY_KEYS : {}),
    ...(readsFile ? {envFile: '.env'} : {}),
    env,
    ...keys
  }
}

/** What a person who breaks the template writes. */
export const brokenText = (text: string): string => `${text}  - {appID: [\n`
