// Notes on variables without a value.
import {resolve} from 'node:path'
import type {Imported, ImportedApp} from './imported.ts'
import {envFileVariables} from './reading/variables.ts'
import {isMap, listedValues, mapOf, textValue, textsOf} from './reading/yaml-file.ts'

/** Returns the apps with notes on variables of their commands that have no value. */
export const withMissing = (imported: Imported, env: Readonly<Record<string, string | undefined>>): Imported => ({
  ...imported,
  apps: imported.apps.map(app => ({...app, notes: [...app.notes, ...unsetNotes(app, imported, env)]}))
})

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
