import {existsSync} from 'node:fs'
import {basename, delimiter, dirname, join, relative, resolve} from 'node:path'
import {messageOf, UserError} from '../../model/errors.ts'
import {decodeText} from '../../files/yaml/decode-text.ts'
import {readTextBytes} from '../../model/read-file.ts'
import {entriesOf, foldersBelow, isFile, readText, statAt} from './reading/files.ts'
import {orElse} from '../../model/or-else.ts'
import {mapOf, valuesOf, type Values} from './reading/yaml-file.ts'
import {envFileVariables} from './reading/variables.ts'
import type {ImportedFile} from './imported.ts'

/** Kinds of sources with the names of their files, best first; none where contents count. */
const NAMES = {
  'process-compose': ['process-compose.yml', 'process-compose.yaml'],
  compose: ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'],
  procfile: ['Procfile.dev', 'Procfile'],
  tilt: ['Tiltfile'],
  skaffold: ['skaffold.yaml', 'skaffold.yml'],
  aspire: [],
  kubernetes: [],
  folder: []
} satisfies Readonly<Record<string, readonly string[]>>
export type SourceKind = keyof typeof NAMES
const KINDS = Object.keys(NAMES) as readonly SourceKind[]

/** The source of an import, and the other files that were found next to it. */
export interface FoundSource {
  readonly kind: SourceKind
  readonly path: string
  /** Files that lie over this one. */
  readonly overrides: readonly string[]
  readonly others: readonly string[]
  /** Compose files next to a compose file that change its services. */
  readonly layers?: readonly string[]
  /** Folder in which compose is started. */
  readonly folder: string
}

/** The first one that is there lies over the file (compose-go, cli.DefaultOverrideFileNames; process-compose does the same). */
const OVERRIDES = ['compose', 'docker-compose', 'process-compose'].flatMap(name =>
  ['yml', 'yaml'].map(end => `${name}.override.${end}`)
)

/** The meaning of a path: a file of a known kind, a folder with one, or just a folder. Throws a `UserError`. */
export function findSource(typed: string, from: string | undefined, cwd: string): FoundSource {
  const wanted = KINDS.find(each => each === from)
  if (from !== undefined && wanted === undefined)
    throw new UserError(`--from ${from} is unknown: expected ${KINDS.join(', ')}`)
  const path = resolve(cwd, typed)
  const stat = statAt(path)
  if (stat === undefined) throw new UserError(`there is no file or folder ${typed}`)
  if (!stat.isDirectory()) {
    const folder = isFile(join(dirname(path), '.env')) ? dirname(path) : cwd // of a file that is named its own one counts
    const kind = wanted === undefined || wanted === 'folder' ? kindOfFile(path, typed, cwd) : wanted
    return {kind, path, overrides: [], others: [], folder}
  }
  const [first, ...over] = filesOfVariable(path)
  const at = (name: string): string => resolve(path, name)
  const alone = (kind: SourceKind, name: string, others: readonly string[]): FoundSource => {
    return {kind, path: at(name), overrides: [], others, folder: path}
  }
  const there = KINDS.flatMap(kind =>
    (kind === 'compose' && first !== undefined ? [first] : NAMES[kind])
      .filter(name => existsSync(at(name)))
      .map(name => ({kind: kind === 'compose' && isOfProcesses(path, name) ? 'process-compose' : kind, name}))
  )
  const names = there.map(({name}) => name)
  if (wanted === 'folder' || wanted === 'kubernetes') return alone(wanted, '.', names)
  const hosts = wanted === 'aspire' || (wanted === undefined && there.length === 0) ? appHostsIn(path) : []
  const [host, ...more] = hosts.map(each => relative(path, each))
  if (host !== undefined) return alone('aspire', host, more)
  const meant = there.find(({kind}) => wanted === undefined || kind === wanted)
  if (meant === undefined && wanted !== undefined)
    throw new UserError(`${typed} contains no file of ${wanted}`, {explanation: 'Name the file, or leave out --from.'})
  if (meant === undefined) return alone('folder', '.', [])
  const overrides = OVERRIDES.filter(
    name => existsSync(at(name)) && meant.kind === (isOfProcesses(path, name) ? 'process-compose' : 'compose')
  )
  const override = meant.name === first ? over : overrides.slice(0, 1)
  const nearby = there.some(({kind}) => kind === 'compose') ? [] : composeFilesIn(path)
  const others = [...there.filter(({kind}) => kind !== meant.kind).map(({name}) => name), ...nearby].filter(
    name => ![meant.name, ...override].includes(name)
  )
  const layers = meant.kind === 'compose' ? layersOf(path, [meant.name, ...override]) : []
  return {kind: meant.kind, path: at(meant.name), overrides: override.map(at), others, layers, folder: path}
}

/** Whether a file under a name of compose is one of process-compose, which has two of these names as well. */
const isOfProcesses = (folder: string, name: string): boolean =>
  name.startsWith('process-compose.') ||
  (name.startsWith('compose.') && kindOfText(readText(folder, name)) === 'process-compose')

/** The files that COMPOSE_FILE names, of the environment or of `.env`: compose reads these in the place of the usual ones. */
function filesOfVariable(folder: string): readonly string[] {
  const env = {...envFileVariables(join(folder, '.env')), ...process.env}
  return (env['COMPOSE_FILE'] ?? '').split(env['COMPOSE_PATH_SEPARATOR'] || delimiter).filter(name => name !== '')
}

/** The names of compose files in a folder, best first: also of samples, and of those that JHipster writes. */
export const composeFilesIn = (folder: string): readonly string[] =>
  entriesOf(folder)
    .filter(name =>
      folder.endsWith('/src/main/docker')
        ? /\.ya?ml$/.test(name) && /^services:/m.test(readText(folder, name))
        : /^(?:docker-)?compose(?:[.-].*)?\.ya?ml(?:[.-](?:dist|example|sample|template))?$/.test(name)
    )
    .toSorted((a, b) => rankOf(a) - rankOf(b))

/** The plain name comes first, then a file for development. */
const rankOf = (name: string): number =>
  /^(?:docker-)?compose\.ya?ml$/.test(name) ? 0 : /[.-](?:dev|development|local)\.ya?ml\b/.test(name) ? 1 : 2

/** The files of AppHosts in a folder, or up to three folders below: a project, or a file that is one by itself. */
const appHostsIn = (root: string): readonly string[] =>
  [root, ...foldersBelow(root, 3)].flatMap(folder => {
    const name = entriesOf(folder).find(each => isAppHost(folder, each))
    return name === undefined ? [] : [join(folder, name)]
  })

const isAppHost = (folder: string, name: string): boolean =>
  /^apphost\.(?:cs|m?[jt]s)$/.test(name)
    ? /^#:sdk Aspire\.AppHost|\bcreateBuilder\(/m.test(readText(folder, name))
    : /apphost.*\.(?:cs|fs|vb)proj$/i.test(join(folder, name)) &&
      /Aspire\.AppHost|IsAspireHost/.test(readText(folder, name))

/** Other compose files of a folder with services of the first one, which they change. */
function layersOf(folder: string, [first = '', ...over]: readonly string[]): readonly string[] {
  const servicesIn = (name: string): readonly string[] => {
    const file = {path: join(folder, name), shownAs: name, text: readText(folder, name)}
    return Object.keys(mapOf(orElse<Values>(() => valuesOf(file), {})['services']))
  }
  const names = composeFilesIn(folder).filter(name => ![first, ...over].includes(name) && /\.ya?ml$/.test(name))
  const own = names.length === 0 ? [] : servicesIn(first)
  return names.filter(name => servicesIn(name).some(each => own.includes(each)))
}

function kindOfFile(path: string, typed: string, cwd: string): SourceKind {
  const name = basename(path)
  if (/process-compose.*\.ya?ml$/.test(name)) return 'process-compose'
  if (/^Procfile/i.test(name) || name.endsWith('.procfile')) return 'procfile'
  if (/^apphost\.[cm]?[jt]s$|^apphost\.cs$|\.(?:cs|fs|vb)proj$/i.test(name)) return 'aspire'
  if (/^Tiltfile|\.tilt(?:file)?$/i.test(name)) return 'tilt'
  if (/\.ya?ml(?:[.-]\w+)?$/.test(name)) return kindOfText(readImported(path, cwd).text)
  throw new UserError(`cannot tell what ${typed} is`, {explanation: `Add --from and one of ${KINDS.join(', ')}.`})
}

function kindOfText(text: string): SourceKind {
  if (/^processes:/m.test(text)) return 'process-compose'
  if (/^apiVersion: *["']?skaffold\//m.test(text)) return 'skaffold'
  return /^apiVersion:/m.test(text) && /^kind:/m.test(text) ? 'kubernetes' : 'compose'
}

/** Reads a file to import. Throws a `UserError` if that fails, or it is not text. */
export function readImported(path: string, cwd: string): ImportedFile {
  const shownAs = relative(cwd, path) || path
  try {
    const text = decodeText(readTextBytes(path))
    if (text.includes('\uFFFE')) throw new Error('it is not UTF-8')
    if (text.includes('\0')) throw new Error('it contains the character NUL')
    return {path, shownAs, text}
  } catch (error) {
    throw new UserError(`cannot import ${shownAs}: ${messageOf(error)}`)
  }
}
