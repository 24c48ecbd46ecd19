// Several sources become one template: programs of one, servers of the other, and one app of what both name.
import {isAbsolute, join} from 'node:path'
import {pathTo, withoutVariables, type Imported, type ImportedApp} from './imported.ts'
import {isServerApp, portOfCallers} from './reading/listening.ts'
import {given, isMap, mapOf, textsOf} from './reading/yaml-file.ts'

/** A source that was read, and how messages name it. */
export interface NamedSource {
  readonly imported: Imported
  readonly name: string
  /** Folder from which paths of its apps' env files count. */
  readonly root: string
  /** The source cannot express dependencies: a Procfile, a folder. */
  readonly hasNoOrder: boolean
}

type NamedApp = ImportedApp & {readonly source: string}

/** Unites several sources. Of an app in two the one without a container starts, else the first; a note says which keys are whose. */
export function unitedSources(sources: readonly NamedSource[]): Imported {
  const all = sources.map(({imported}) => imported)
  const interpolate = all.map(each => each.interpolate).toSorted((a, b) => rank(b) - rank(a))[0]
  const apps = sources.flatMap(({imported, name, root}) =>
    imported.apps.map((app): NamedApp => {
      const own = withCommon(app, imported, root)
      const isLiteral = rank(imported.interpolate) === 0 && rank(interpolate) > 0
      return {...(isLiteral ? withoutVariables(own) : own), source: name}
    })
  )
  const ids = [...new Set(apps.map(({id}) => id))]
  const united = ids.map(id => {
    const own = apps.filter(app => app.id === id).toSorted((a, b) => Number(isContainer(a)) - Number(isContainer(b)))
    return own.reduce(withKeysOf)
  })
  const {kept: alone, notes} = withoutDuplicates(united)
  const gone = idsIn(apps).filter(id => !idsIn(alone).includes(id))
  const kept = alone.map(app => withHosts(app, gone))
  const waited = kept
    .filter(app => isServerApp(app) && !('profiles' in app.keys) && !('dependsOn' in app.keys))
    .map(({id, keys, listens}) => [id, 'ready' in keys || listens !== undefined ? 'ready' : 'started'] as const)
  const servers = Object.fromEntries(waited)
  const unordered = new Set(sources.flatMap(({hasNoOrder, name}) => (hasNoOrder ? [name] : [])))
  const waiting = kept.map(app =>
    waited.length > 0 && unordered.has(app.source) && !isServerApp(app) && !('profiles' in app.keys)
      ? {...app, keys: {...app.keys, dependsOn: {...servers, ...mapOf(app.keys['dependsOn'])}}}
      : app
  )
  const stop = all.map(({common}) => common?.['stop']).find(Boolean)
  const name = all.map(each => each.name).find(each => each !== undefined)
  return {
    from: all.map(({from}) => from).join(' and '),
    ...(name !== undefined && {name}),
    ...(rank(interpolate) > 0 && {interpolate}),
    ...(stop !== undefined && {common: {stop}}),
    apps: waiting.map(({source: _source, ...app}) => app),
    notes: [...new Set([...all.flatMap(each => each.notes), ...notes])]
  }
}

/** A file of variables is more than none. */
const rank = (interpolate: Imported['interpolate']): number =>
  typeof interpolate === 'string' ? 2 : interpolate === true ? 1 : 0

/** The app with the variables that its source has for all of its apps. */
function withCommon(app: ImportedApp, {common = {}}: Imported, root: string): ImportedApp {
  const {env, envFile} = common
  const ownEnv = {...mapOf(env), ...mapOf(app.keys['env'])}
  const file = moved(envFile, root, app.folder)
  return {
    ...app,
    keys: {
      ...app.keys,
      ...(Object.keys(ownEnv).length > 0 && {env: ownEnv}),
      ...(file !== undefined && !('envFile' in app.keys) && {envFile: file})
    }
  }
}

const isContainer = ({published}: ImportedApp): boolean => published !== undefined
const idsIn = (apps: readonly NamedApp[]): readonly string[] => apps.filter(isContainer).map(({id}) => id)

/** A container to which the names of services that are programs now lead to this machine. */
function withHosts(app: NamedApp, gone: readonly string[]): NamedApp {
  const command = textsOf(app.keys['command'])
  const at = command.findIndex((word, index) => word === 'pillion' && command[index - 1] === '--network')
  const hosts = at === -1 ? [] : gone.flatMap(id => ['--add-host', `${id}:host-gateway`])
  return hosts.length === 0 ? app : {...app, keys: {...app.keys, command: command.toSpliced(at + 1, 0, ...hosts)}}
}

/** An app with the keys that only another source has. The command of a container names its variables, and its check runs in it. */
function withKeysOf(app: NamedApp, other: NamedApp): NamedApp {
  const isGone = isContainer(other) && !isContainer(app)
  const isOwn = (key: string): boolean => key in app.keys || (isGone && (key === 'ready' || key === 'stop'))
  const added = Object.entries(other.keys).filter(([key]) => key !== 'env' && !isOwn(key))
  const others = isContainer(app) ? {} : mapOf(isGone ? other.envHere : other.keys['env'])
  const ownEnv = mapOf(app.keys['env'])
  const env = {...others, ...ownEnv}
  const names = Object.keys(env).filter(name => !(name in ownEnv))
  const keys = {
    ...app.keys,
    ...(names.length > 0 && {env}),
    ...Object.fromEntries(
      added.map(([key, value]) => [key, key === 'envFile' ? moved(value, other.folder, app.folder) : value])
    )
  }
  const taken = [...added.map(([key]) => key), ...names.map(name => `env.${name}`)].join(', ')
  const note = `it is in ${app.source} and in ${other.source}: as in ${app.source}${taken === '' ? '' : `, with ${taken} of ${other.source}`}`
  const listens = portOfCallers(app) > 0 || isGone ? app.listens : (other.listens ?? app.listens)
  return {...app, keys, ...(listens && {listens}), notes: [...app.notes, note, ...(isGone ? [] : other.notes)]}
}

/** Paths of env files from another folder. */
function moved(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map(each => moved(each, from, to))
  if (isMap(value)) return {...value, path: moved(value['path'], from, to)}
  return typeof value === 'string' && !isAbsolute(value) ? pathTo(join(from, value), to) : value
}

/** Removes apps that are built of the folder in which another source starts a program, under other names. */
function withoutDuplicates(apps: readonly NamedApp[]): {kept: readonly NamedApp[]; notes: readonly string[]} {
  const programOf = ({source, builtFrom}: NamedApp): NamedApp | undefined =>
    apps.find(each => each.builtFrom === undefined && each.source !== source && each.folder === builtFrom)
  const kept = apps.filter(each => programOf(each) === undefined)
  const notes = apps.flatMap(app => {
    const program = programOf(app)
    if (program === undefined) return []
    return [
      `${app.id} of ${app.source} is left out: ${program.source} starts the programs of its folder (${program.id})`
    ]
  })
  const isKept = ([id]: readonly [string, unknown]): boolean => kept.some(each => each.id === id)
  const withNeeds = (app: NamedApp): NamedApp => {
    const dependsOn = Object.fromEntries(Object.entries(mapOf(app.keys['dependsOn'])).filter(isKept))
    return {...app, keys: given({...app.keys, dependsOn})}
  }
  return {kept: notes.length === 0 ? kept : kept.map(withNeeds), notes}
}
