import {flaggedPort, commandPort, readsPort, takesPortFlag} from './shell-words.ts'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {readTextFile} from '../../model/read-file.ts'
import {envFileVariables} from './env-file.ts'

/** The scripts that start a package, best first. */
export const SCRIPTS = ['dev', 'start:dev', 'start', 'serve'] as const

export const has = (folder: string, ...names: readonly string[]): boolean =>
  names.some(name => existsSync(join(folder, name)))

/** The text of a file, '' if there is none. */
export function readText(folder: string, name: string): string {
  try {
    return readTextFile(join(folder, name))
  } catch {
    return ''
  }
}

/** What package.json says of a package. */
interface Package {
  readonly name?: unknown
  readonly main?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  readonly workspaces?: unknown
}

/** The package.json of a folder; undefined if there is none, or if it is not JSON. */
export function readPackage(folder: string): Package | undefined {
  try {
    const read: unknown = JSON.parse(readText(folder, 'package.json'))
    return typeof read === 'object' && read !== null ? read : {}
  } catch {
    return undefined
  }
}

/** How a project starts, and where it listens: 0 if its files do not tell. */
export interface ProjectStart {
  readonly command: readonly string[]
  readonly port: number
  /** The keys, besides `appPort`, that have it listen on another port; undefined: its code decides. */
  readonly move?: ((port: number) => Readonly<Record<string, unknown>>) | undefined
}

/** The program reads PORT, which `appPort` sets. */
export const movesByItself = (): Readonly<Record<string, unknown>> => ({})

/** How a package starts: by the first of its usual scripts, or by a file that listens; undefined: not at all. */
export function nodeStart(folder: string): ProjectStart | undefined {
  const {scripts = {}, main} = readPackage(folder) ?? {}
  const script = SCRIPTS.find(name => typeof scripts[name] === 'string')
  if (script !== undefined) {
    const line = String(scripts[script])
    const command = [managerOf(folder), 'run', script]
    const port = commandPort(line)
    if (port > 0) return {command, port, move: moveOf(line, command)}
    const text = readText(folder, sourceOf(line, folder, main))
    return {command, port: writtenPort(folder, text), move: readsVariable(text) ? movesByItself : moveOf(line, command)}
  }
  const files = [typeof main === 'string' ? main : '', 'server.js', 'app.js']
  const file = files.find(name => name !== '' && has(folder, name))
  const text = file === undefined ? '' : readText(folder, file)
  if (file === undefined || !looksServing(text)) return undefined
  return {
    command: ['node', file],
    port: writtenPort(folder, text),
    move: readsVariable(text) ? movesByItself : undefined
  }
}

const readsVariable = (text: string): boolean =>
  /process\.env(?:\.PORT\b|\[['"]PORT)|\{[^}]*\bPORT\b[^}]*\}\s*=\s*process\.env/.test(text)

/** PORT of `.env`, where the program reads that; else the number in its text. */
const writtenPort = (folder: string, text: string): number =>
  (readsVariable(text) && Number(envFileVariables(join(folder, '.env'))['PORT'])) || portIn(text)

/** Where packages have the program that listens. */
const ENTRIES = ['src/main', 'src/index', 'src/server', 'src/app', 'server', 'index', 'app', 'main'].flatMap(name =>
  ['ts', 'js', 'mjs', 'cjs'].map(end => `${name}.${end}`)
)

/** The file that a script starts, or the usual one. */
function sourceOf(line: string, folder: string, main: unknown): string {
  const named = line.split(/\s+/).filter(word => /\.[cm]?[jt]sx?$/.test(word))
  const all = [...named, ...(typeof main === 'string' ? [main] : []), ...ENTRIES].filter(name => has(folder, name))
  return all.find(name => looksServing(readText(folder, name))) ?? ''
}

function moveOf(line: string, command: readonly string[]): ProjectStart['move'] {
  if (flaggedPort(line) > 0) return undefined
  if (readsPort(line)) return movesByItself
  if (!takesPortFlag(line)) return undefined
  // npm keeps what stands before -- for itself
  return port => ({command: [...command, ...(command[0] === 'npm' ? ['--'] : []), '--port', port.toString()]})
}

/** The package manager whose lock file is in the folder or above. */
function managerOf(folder: string): string {
  for (const each of [folder, join(folder, '..'), join(folder, '../..')]) {
    if (has(each, 'pnpm-lock.yaml')) return 'pnpm'
    if (has(each, 'yarn.lock')) return 'yarn'
    if (has(each, 'bun.lock', 'bun.lockb')) return 'bun'
    if (has(each, 'package-lock.json')) return 'npm'
  }
  return 'npm'
}

const looksServing = (text: string): boolean => /\.listen\(|createServer|serve\(/.test(text)

/** How programs write their port, best first: behind the variable, in a call, in a constant. */
const PORTS = [
  /PORT\b[^\n;,]{0,40}?(?:\|\||\?\?|,)\s*["'`]?(\d{4,5})\b/,
  /\{[^}]*\bPORT\s*=\s*["'`]?(\d{4,5})\b[^}]*\}\s*=\s*process\.env/,
  /(?:listen\(\s*|\.run\([^)]*port\s*=\s*)(\d{4,5})\b/i,
  /(?:^|[\s{,(])port["']?\s*(?::\s*number\s*)?[:=]\s*["'`]?(\d{4,5})\b/im
]

/** The port that a program's text names; 0: none. */
export const portIn = (text: string): number =>
  Number(PORTS.map(each => each.exec(text)?.[1]).find(port => port !== undefined) ?? 0)
