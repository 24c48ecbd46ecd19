import {existsSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {envVariables} from '../../model/environment.ts'
import {codeOf} from '../../model/errors.ts'
import {readTextFile} from '../../model/read-file.ts'
import {isProgram} from '../../platform/paths.ts'
import type {Settings} from './merge.ts'
import {absolutePath, inGoWords} from './paths.ts'

interface EnvFiles {
  /** All paths, also of optional files that are missing: they are watched. */
  readonly paths: readonly string[]
  /** Merged: later files override earlier ones. */
  readonly variables: Readonly<Record<string, string>>
}

/** Reads the `.env` files of an app; relative paths start at its folder. Refuses one that cannot be read, unless it is optional and missing. */
export function readEnvFiles(settings: Settings, home: string): EnvFiles {
  const {envFile = []} = settings.values
  const isSingle = typeof envFile === 'string' || 'path' in envFile
  const list = isSingle ? [envFile] : envFile
  const paths: string[] = []
  const variables: [name: string, value: string | undefined][] = []
  for (const [index, entry] of list.entries()) {
    const {path: written, required = true} = typeof entry === 'string' ? {path: entry} : entry
    const path = absolutePath(written, settings.folder, home)
    paths.push(path)
    const inside = [...(isSingle ? [] : [index.toString()]), ...(typeof entry === 'string' ? [] : ['path'])]
    try {
      variables.push(...Object.entries(envVariables(textOf(path))))
    } catch (error) {
      const isMissing = codeOf(error) === 'ENOENT'
      if (!required && isMissing) continue
      const message = `error in reading the envFile: open ${path}: ${inGoWords(error)}`
      settings.refuse({...(isMissing && {code: 'path-not-found'}), missing: path, key: 'envFile', inside, message})
    }
  }
  return {paths, variables: Object.fromEntries(variables) as Record<string, string>}
}

/** Reads the text of a file of variables. Refuses a NUL, which no program can receive. */
function textOf(path: string): string {
  const text = readTextFile(path)
  if (text.includes('\0')) throw new Error('it contains the character NUL')
  return text
}

/** The contents of `.s2i/environment` in an app's folder (Daeploy; the environment file of source-to-image). */
export interface S2i {
  readonly variables: Readonly<Record<string, string>>
  /** The command to start. Empty if only a module is named, which needs a server to run it. */
  readonly command: readonly string[]
}

/** Variables that Pillion sets itself, which override the file and the shell. */
const OURS = new Set(
  'APP_ID APP_PORT APP_CHANNEL_ADDRESS APP_PROTOCOL DAPR_HTTP_PORT DAPR_GRPC_PORT DAPR_METRICS_PORT'.split(' ')
)

/** Reads Daeploy's file of an app, if it exists. An expected file that is missing counts as empty. `path`: the PATH in which commands are looked up. */
export function readS2i(settings: Settings, path: string, {isExpected = false} = {}): S2i | undefined {
  const {folder} = settings
  const file = join(folder, '.s2i', 'environment')
  const isThere = existsSync(file)
  if (!isThere && !isExpected) return undefined
  try {
    const all = isThere ? parseS2i(textOf(file)) : {}
    const variables = Object.fromEntries(Object.entries(all).filter(([name]) => !OURS.has(name)))
    return {variables, command: commandOf(all, folder, path)}
  } catch (error) {
    return settings.refuse({
      code: 'path-not-found',
      key: 'appDirPath',
      message: `error in reading ${file}: ${inGoWords(error)}`
    })
  }
}

/** Reads a NAME=VALUE per line, both trimmed and never quoted; lines that begin with `#` are comments. */
function parseS2i(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter(line => line.includes('=') && !line.trimStart().startsWith('#'))
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()])
  )
}

/** Returns the start command by the rule of Daeploy's s2i images: a script with bash, else a file with Python. Without a name it is `app.sh`, then `app.py`. */
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
  return path.split(delimiter).some(place => place !== '' && isProgram(join(place, 'python'))) ? 'python' : 'python3'
}
