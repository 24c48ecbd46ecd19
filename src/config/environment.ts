import {existsSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {parseEnv} from 'node:util'
import {readTextFile} from '../model/read-file.ts'
import type {Settings} from './merge.ts'
import {absolutePath, inGoWords} from './paths.ts'

export interface EnvFiles {
  readonly paths: readonly string[]
  /** What they say together: of two files the later wins. */
  readonly variables: Readonly<Record<string, string>>
}

/** Reads the `.env` files of an app; their paths start at its folder. One that cannot be read is refused. */
export function readEnvFiles(settings: Settings, home: string): EnvFiles {
  const written = settings.values.envFile ?? []
  const list = typeof written === 'string' ? [written] : written
  const paths = list.map(path => absolutePath(path, settings.folder, home))
  const variables: Record<string, string> = {}
  for (const [index, path] of paths.entries())
    try {
      Object.assign(variables, parseEnv(readTextFile(path)))
    } catch (error) {
      const inside = typeof written === 'string' ? [] : [String(index)]
      const message = `error in reading the envFile: open ${path}: ${inGoWords(error)}`
      settings.refuse({key: 'envFile', inside, message})
    }
  return {paths, variables}
}

/** What `.s2i/environment` in an app's folder says (Daeploy; source-to-image's file of environment variables). */
export interface S2i {
  readonly variables: Readonly<Record<string, string>>
  /** What to start; empty when only a module is named, which needs a server to run it. */
  readonly command: readonly string[]
}

/** Our own names win over those of the file, as they win over the shell's. */
const OURS = new Set([
  'APP_ID',
  'APP_PORT',
  'APP_CHANNEL_ADDRESS',
  'APP_PROTOCOL',
  'DAPR_HTTP_PORT',
  'DAPR_GRPC_PORT',
  'DAPR_METRICS_PORT'
])

/**
 * The file of an app; undefined when there is none, unless it is expected: then it counts as empty. `path` is where
 * commands are looked for, as in PATH.
 */
export function readS2i(settings: Settings, path: string, {isExpected = false} = {}): S2i | undefined {
  const {folder} = settings
  const file = join(folder, '.s2i', 'environment')
  const isThere = existsSync(file)
  if (!isThere && !isExpected) return undefined
  try {
    const all = isThere ? parseS2i(readTextFile(file)) : {}
    const variables = Object.fromEntries(Object.entries(all).filter(([name]) => !OURS.has(name)))
    return {variables, command: commandOf(all, folder, path)}
  } catch (error) {
    return settings.refuse({key: 'appDirPath', message: `error in reading ${file}: ${inGoWords(error)}`})
  }
}

/** A NAME=VALUE in each line, both trimmed, nothing quoted; `#` begins a comment. */
function parseS2i(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter(line => line.includes('=') && !line.trimStart().startsWith('#'))
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()])
  )
}

/** The start rule of Daeploy's s2i images: a script by bash, else a file by Python; `app.sh`, `app.py` when nothing is named. */
function commandOf(variables: Readonly<Record<string, string>>, folder: string, path: string): readonly string[] {
  const {APP_SCRIPT = '', APP_FILE = '', APP_MODULE = ''} = variables
  const named = APP_SCRIPT + APP_FILE + APP_MODULE !== ''
  const script = APP_SCRIPT || (!named && existsSync(join(folder, 'app.sh')) ? 'app.sh' : '')
  const file = APP_FILE || (named ? '' : 'app.py')
  const chosen = script || file
  if (chosen === '') return []
  if (!existsSync(join(folder, chosen))) return ['sh', '-c', 'echo "ERROR: file \'$0\' not found."; exit 1', chosen]
  return script === '' ? [pythonFor(folder, path), file] : ['bash', script]
}

function pythonFor(folder: string, path: string): string {
  const ofVenv = join(folder, '.venv', 'bin', 'python')
  if (existsSync(ofVenv)) return ofVenv
  return path.split(delimiter).some(place => place !== '' && existsSync(join(place, 'python'))) ? 'python' : 'python3'
}
