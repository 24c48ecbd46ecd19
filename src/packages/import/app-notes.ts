// Notes of the whole template: variables without a value, and apps that code calls and the template lacks.
import {relative, resolve} from 'node:path'
import {isInside} from '../../model/glob.ts'
import type {Imported, ImportedApp} from './imported.ts'
import {sourcesIn, textAt} from './reading/files.ts'
import {envFileVariables} from './reading/variables.ts'
import {isMap, listedValues, mapOf, textValue, textsOf} from './reading/yaml-file.ts'

/** Returns the apps with notes on names that the template lacks. `roots`: the folders of the sources, outside of which it reads nothing. */
export function withMissing(
  imported: Imported,
  {roots, cwd}: {readonly roots: readonly string[]; readonly cwd: string},
  env: Readonly<Record<string, string | undefined>>
): Imported {
  const ids = new Set(imported.apps.map(({id}) => id))
  const withNotes = (app: ImportedApp): ImportedApp => {
    const calls = roots.some(root => isInside(app.folder, root)) ? callNotes(app, ids, cwd) : []
    return {...app, notes: [...app.notes, ...unsetNotes(app, imported, env), ...calls]}
  }
  return {...imported, apps: imported.apps.map(withNotes)}
}

/** Set by a shell itself, or by the run. */
const KNOWN =
  /^(?:HOME|PATH|USER|LOGNAME|PWD|OLDPWD|SHELL|TMPDIR|HOSTNAME|UID|EUID|PPID|RANDOM|SECONDS|IFS|OPTARG|OPTIND|LINENO|LANG|TERM|BASH\w*|_|PORT|APP_\w+|DAPR_\w+)$/

/** `$NAME` and `${NAME}` of a shell's line, where no file and no key gives them a value. */
function unsetNotes(
  {keys, folder}: ImportedApp,
  {common, interpolate}: Imported,
  env: Readonly<Record<string, string | undefined>>
): readonly string[] {
  const [shell = '', flag = '', line = ''] = textsOf(keys['command'])
  if (!/^(?:sh|bash)$/.test(shell) || !flag.endsWith('c')) return []
  const files = [keys['envFile'], common?.['envFile']]
    .flatMap(listedValues)
    .map(each => (isMap(each) ? textValue(each['path']) : textValue(each)))
  const known = {
    ...env,
    ...mapOf(common?.['env']),
    ...Object.assign({}, ...files.map(file => envFileVariables(resolve(folder, file)))),
    ...mapOf(keys['env'])
  } as object
  // with `interpolate` the run replaces ${NAME}, and names variables without a value; no shell reads quoted text
  const text = line.replaceAll(/'[^']*'/g, '')
  const named =
    interpolate === undefined || interpolate === false
      ? /(?<![\\$])\$(?:\{(\w+)\}|(\w+))/g
      : /(?<![\\$])\$(?:\$\{(\w+)\}|(\w+))/g
  const unset = [...text.matchAll(named)]
    .map(([, braced, plain]) => braced ?? plain ?? '')
    .filter(
      name => /^[A-Za-z_]/.test(name) && !KNOWN.test(name) && !Object.hasOwn(known, name) && !isAssigned(line, name)
    )
  if (unset.length === 0) return []
  return [`command: ${[...new Set(unset)].join(', ')}: no value is known: set it in env, or where pillion is started`]
}

const isAssigned = (line: string, name: string): boolean =>
  new RegExp(`\\b${name}=|\\b(?:for|read(?: -\\w+)*|local|export) ${name}\\b`).test(line)

const MAX_SOURCES = 300
const CALLS = /\/v1\.0\/invoke\/([\w.-]+)\/|dapr-app-id["']?\]?\s*[:,=]\s*["']([\w.-]+)["']/g

/** Apps that the code of a program calls by Dapr, and that the template has not. */
function callNotes({folder, keys}: ImportedApp, ids: ReadonlySet<string>, root: string): readonly string[] {
  if (textsOf(keys['command']).includes('docker')) return []
  const found = new Map<string, string>()
  for (const path of sourcesIn(folder).slice(0, MAX_SOURCES))
    for (const [index, line] of textAt(path).split('\n').entries())
      for (const [, byPath, byHeader] of line.matchAll(CALLS)) {
        const id = byPath ?? byHeader ?? ''
        if (!ids.has(id) && !found.has(id)) found.set(id, `${relative(root, path)}:${index + 1}`)
      }
  return Array.from(
    found,
    ([id, place]) => `${place}: it calls the app "${id}", which is none here: give one that appID`
  )
}
