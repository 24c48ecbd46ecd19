import {basename, dirname} from 'node:path'
import {stopSignal, waitOf, withGrace} from '../compose/service.ts'
import {pathFrom, pathTo, unreadable, withBraces, withTexts} from '../imported.ts'
import type {Imported, ImportedApp, ImportedFile} from '../imported.ts'
import {isFile, isFolder} from '../reading/files.ts'
import {commandOf} from '../reading/shell-words.ts'
import {commandStart} from '../folder/command-start.ts'
import {envFileVariables, missingFileNote, sampleOf, type ProgramVariables} from '../reading/variables.ts'
import * as yaml from '../reading/yaml-file.ts'

const {given, mapOf, mergedValues, notCarried, textValue, variablePairs, written} = yaml
type Values = yaml.Values

/** Keys of a process that are carried over, or that only its own screen and logs use. */
const KNOWN =
  /^(?:command|working_dir|environment|env_file|depends_on|ready_log_line|disabled|namespace|description|disable_ansi_colors|is_tty|log_location|log_configuration|availability(?:\.restart)?|shutdown(?:\.(?:signal|timeout_seconds))?|readiness_probe(?:\.(?:exec(?:\.command)?|http_get|initial_delay_seconds|period_seconds|timeout_seconds|success_threshold|failure_threshold))?)$/
const KNOWN_ABOVE = /^(?:version|vars|environment|log_\w+|is_strict|ordered_shutdown)$/

/** A file of process-compose with its override. Throws a `UserError` for a broken one, or one without processes. */
export function importProcessCompose(file: ImportedFile, overrides: readonly ImportedFile[]): Imported {
  const {processes, ...top} = [file, ...overrides].map(yaml.valuesOf).reduce((a, b) => mergedValues(a, b))
  const all = Object.entries(mapOf(processes)).map(([id, each]) => [id, withVars(mapOf(each), top)] as const)
  if (all.length === 0) throw unreadable(file, 'it has no processes', 0)
  const shared = variablePairs(top['environment'])
  const envs = [shared, ...all.map(([, each]) => variablePairs(each['environment']))]
  const interpolate = envs.some(env => Object.values(env).some(value => /\$\{?[A-Za-z_]/.test(value)))
  const reader = {file, interpolate, ids: new Set(all.map(([id]) => id))}
  return withGrace({
    from: [file, ...overrides].map(({path}) => basename(path)).join(' and '),
    ...(interpolate && {interpolate: isFolder(pathFrom(file, '.env')) || pathFrom(file, '.env')}),
    ...(Object.keys(shared).length > 0 && {common: {env: withTexts(shared, withBraces)}}),
    apps: all.map(([id, each]) => appOf(id, each, reader)),
    notes: notCarried(top, KNOWN_ABOVE)
  })
}

/** A process with each `{{.NAME}}` replaced by its own variable for templates, or by that of the file. */
function withVars({vars, ...process}: Values, top: Values): Values {
  const known = {...mapOf(top['vars']), ...mapOf(vars)}
  return mapOf(
    withTexts(process, text => text.replaceAll(TEMPLATED, (all, name: string) => textValue(known[name]) || all))
  )
}
const TEMPLATED = /\{\{\s*\.(\w+)\s*\}\}/g

interface Reader {
  readonly file: ImportedFile
  readonly interpolate: boolean
  readonly ids: ReadonlySet<string>
}

function appOf(id: string, process: Values, {file, interpolate, ids}: Reader): ImportedApp {
  const notes = [
    ...notCarried(process, KNOWN),
    ...['availability', 'shutdown', 'readiness_probe'].flatMap(key => notCarried(process[key], KNOWN, `${key}.`)),
    ...notCarried(mapOf(process['readiness_probe'])['exec'], KNOWN, 'readiness_probe.exec.')
  ]
  const place = pathFrom(file, textValue(process['working_dir']))
  const folder = isFolder(place) ? place : dirname(file.path)
  if (folder !== place) notes.push(`working_dir: ${textValue(process['working_dir'])} is no folder here`)
  const literal = (text: string): string => (interpolate ? text.replaceAll('${', () => '$${') : text)
  const line = textValue(process['command']).replaceAll('$$', '$')
  const command = commandOf(line).map(literal)
  const {PORT, ...env} = mapOf(withTexts(variablePairs(process['environment']), withBraces)) as ProgramVariables
  const {files, known} = envFilesOf(process, file, folder, notes)
  const http = mapOf(mapOf(process['readiness_probe'])['http_get'])
  const exact = Number(textValue(http['port'])) || 0
  if (Object.keys(http).length > 0 && exact === 0)
    notes.push(`readiness_probe.http_get: ${written(http)} names no port`)
  if (textValue(http['scheme']).toLowerCase() === 'https')
    notes.push('readiness_probe.http_get: scheme is not carried over: write appProtocol: https')
  if (/\{\{|PC_REPLICA_NUM/.test(line)) notes.push('{{…}} and PC_REPLICA_NUM in command are not replaced')
  // a process with a check of its readiness serves others
  const isServer = 'readiness_probe' in process || 'ready_log_line' in process
  const start = commandStart(
    command,
    folder,
    {...known, ...env, ...(given({PORT}) as ProgramVariables)},
    {exact, isServer}
  )
  const isDisabled = textValue(process['disabled']) === 'true'
  if (isDisabled) notes.push(`it was disabled: pillion start ${id} starts it, or --profile disabled`)
  const restart = textValue(mapOf(process['availability'])['restart'])
  if (!/^(?:always|on_failure|no|)$/.test(restart))
    notes.push(`availability.restart: ${restart} is not carried over: write always or on-failure`)
  return {
    id,
    folder,
    listens: start.listens,
    keys: given({
      command: command.length > 0 ? start.command : undefined,
      env: {...env, ...given({PORT})},
      envFile: files.length > 1 ? files : files[0],
      dependsOn: dependenciesOf(process, ids, notes),
      ready: readyOf(process, exact > 0 ? http : {}, literal),
      restart: {always: 'always', on_failure: 'on-failure'}[restart],
      stop: stopOf(mapOf(process['shutdown']), notes),
      profiles: isDisabled ? ['disabled'] : undefined,
      tty: textValue(process['is_tty']) === 'true' || undefined
    }),
    notes
  }
}

/** Its env files, of which `.env` has the variables of all processes, and these variables. */
function envFilesOf(
  process: Values,
  file: ImportedFile,
  folder: string,
  notes: string[]
): {readonly files: readonly unknown[]; readonly known: ProgramVariables} {
  const named = textValue(process['env_file'])
  const all = [...new Set([pathFrom(file, '.env'), pathFrom(file, named || '.env')])]
  if (named !== '' && !named.includes('$') && !isFile(pathFrom(file, named)))
    notes.push(missingFileNote(named, pathFrom(file, named)))
  const files = all.flatMap((at): readonly unknown[] => {
    if (isFile(at)) return [pathTo(at, folder)]
    return (named !== '' && at === pathFrom(file, named)) || sampleOf(at) !== ''
      ? [{path: pathTo(at, folder), required: false}]
      : []
  })
  return {files, known: Object.assign({}, ...all.map(envFileVariables)) as ProgramVariables}
}

function dependenciesOf(process: Values, ids: ReadonlySet<string>, notes: string[]): Values {
  const needed: [string, string][] = []
  for (const [id, how] of Object.entries(mapOf(process['depends_on']))) {
    const condition = textValue(mapOf(how)['condition']) || 'process_completed'
    if (condition === 'process_completed')
      notes.push(`depends_on ${id}: process_completed holds whatever the exit code; here it must be 0`)
    if (ids.has(id)) needed.push([id, waitOf(condition)])
    else notes.push(`depends_on: there is no process ${id}`)
  }
  return Object.fromEntries(needed)
}

function readyOf(process: Values, http: Values, literal: (text: string) => string): unknown {
  const line = textValue(process['ready_log_line'])
  if (line !== '') return {log: literal(line.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))}
  const command = textValue(mapOf(mapOf(process['readiness_probe'])['exec'])['command'])
  if (command !== '') return {command: commandOf(command).map(literal)}
  return Object.keys(http).length === 0 ? undefined : {http: textValue(http['path']).replace(/^\/?/, '/')}
}

function stopOf(shutdown: Values, notes: string[]): Values {
  const seconds = textValue(shutdown['timeout_seconds'])
  return given({
    signal: stopSignal(textValue(shutdown['signal']), 'shutdown.signal', notes),
    timeout: ['', '0'].includes(seconds) ? undefined : `${seconds}s`
  })
}
