import {existsSync} from 'node:fs'
import {basename, dirname, resolve} from 'node:path'
import {stopSignal, withGrace} from '../compose/service.ts'
import {readImported} from '../find-source.ts'
import {
  pathFrom,
  pathTo,
  unreadable,
  withBraces,
  withTexts,
  type Imported,
  type ImportedApp,
  type ImportedFile
} from '../imported.ts'
import {isFile, isFolder} from '../reading/files.ts'
import {ownOf} from '../../../model/own.ts'
import {commandOf} from '../reading/shell-words.ts'
import {commandStart} from '../folder/command-start.ts'
import type {ProgramVariables} from '../folder/languages/project.ts'
import {envFileVariables, missingFileNote} from '../reading/variables.ts'
import {
  given,
  mapOf,
  mergedValues,
  textValue,
  textsOf,
  valuesOf,
  variablePairs,
  written,
  type Values
} from '../reading/yaml-file.ts'

/** Keys of a process that are carried over, or that only its own screen and logs use. */
const KNOWN =
  /^(?:command|entrypoint|working_dir|environment|env_file|depends_on|availability|readiness_probe|ready_log_line|shutdown|replicas|disabled|is_disabled|namespace|description|disable_ansi_colors|is_daemon|is_foreground|is_tty|is_interactive|log_location|log_configuration)$/

/** A file of process-compose with its override. Throws a `UserError` for a broken one, or one without processes. */
export function importProcessCompose(file: ImportedFile, overrides: readonly ImportedFile[]): Imported {
  const {processes, ...top} = [file, ...overrides].map(each => withBase(each, 0)).reduce((a, b) => mergedValues(a, b))
  const all = Object.keys(mapOf(processes)).map(id => [id, extended(id, mapOf(processes))] as const)
  if (all.length === 0) throw unreadable(file, 'it has no processes', 0)
  const shared = variablePairs(top['environment'])
  const envs = [shared, ...all.map(([, each]) => variablePairs(each['environment']))]
  const interpolate = envs.some(env => Object.values(env).some(value => VARIABLE.test(value)))
  const shell = textValue(mapOf(top['shell'])['shell_command'])
  const reader = {file, interpolate, shell, ids: new Set(all.map(([id]) => id))}
  const ignored = 'vars env_cmds extends env_file dotenv disable_env_expansion'.split(' ').filter(key => key in top)
  return withGrace({
    from: [file, ...overrides].map(({path}) => basename(path)).join(' and '),
    ...(interpolate && {interpolate: isFile(pathFrom(file, '.env')) ? pathFrom(file, '.env') : true}),
    ...(Object.keys(shared).length > 0 && {common: {env: withTexts(shared, withBraces)}}),
    apps: all.map(([id, each]) => appOf(id, each, reader)),
    notes: ignored.map(key => `${key}: ${written(top[key])} is not carried over`)
  })
}

/** More files that extend each other are a mistake. */
const MAX_BASES = 10

/** The values of a file over those of the file that it extends, whose processes run in the folder of that file. */
function withBase(file: ImportedFile, depth: number): Values {
  const {extends: base, ...own} = valuesOf(file)
  const path = pathFrom(file, textValue(base))
  if (base === undefined) return own
  // a note says that it is not carried over
  if (textValue(base) === '' || depth >= MAX_BASES || !existsSync(path)) return {...own, extends: base}
  const below = withBase(readImported(path, dirname(file.path)), depth + 1)
  const processes = Object.entries(mapOf(below['processes'])).map(([id, each]) => {
    const folder = resolve(dirname(path), textValue(mapOf(each)['working_dir']))
    return [id, {...mapOf(each), working_dir: folder}]
  })
  return mergedValues({...below, processes: Object.fromEntries(processes) as Values}, own)
}

/** Returns a process over its base. A missing or circular base has a note. */
function extended(id: string, all: Values, open: readonly string[] = []): Values {
  const {extends: base, ...own} = mapOf(ownOf(all, id))
  const name = textValue(base)
  const isOther = ownOf(all, name) !== undefined && ![...open, id].includes(name)
  return isOther ? mergedValues(extended(name, all, [...open, id]), own) : mapOf(ownOf(all, id))
}

interface Reader {
  readonly file: ImportedFile
  readonly interpolate: boolean
  readonly shell: string
  /** Ids of all processes. */
  readonly ids: ReadonlySet<string>
}

const VARIABLE = /\$\{?[A-Za-z_]/

function appOf(id: string, process: Values, {file, interpolate, shell, ids}: Reader): ImportedApp {
  const notes: string[] = []
  const folder = folderOf(file, textValue(process['working_dir']), notes)
  const literal = (text: string): string => (interpolate ? text.replaceAll('${', () => '$${') : text)
  const command = wordsOf(process, shell).map(literal)
  const {PORT, ...env} = mapOf(withTexts(variablePairs(process['environment']), withBraces))
  const probe = mapOf(process['readiness_probe'])
  const http = mapOf(probe['http_get'])
  const isForeground = textValue(process['is_foreground']) === 'true'
  // a text wins, since a file over this one cannot say disabled: false
  const isDisabled = (textValue(process['is_disabled']) || textValue(process['disabled'])) === 'true'
  const named = textValue(process['env_file'])
  const own = pathFrom(file, named || '.env')
  if (named !== '' && !named.includes('$') && !isFile(own)) notes.push(missingFileNote(named, own))
  const envFiles = [...new Set([pathFrom(file, '.env'), own])].flatMap((at): readonly unknown[] => {
    const path = pathTo(at, folder)
    return isFile(at) ? [path] : named !== '' && at === own ? [{path, required: false}] : []
  })
  const within = given({
    'readiness_probe.exec.working_dir': mapOf(probe['exec'])['working_dir'],
    'shutdown.parent_only': mapOf(process['shutdown'])['parent_only']
  })
  for (const [key, value] of Object.entries({...process, ...within}))
    if (!KNOWN.test(key)) notes.push(`${key}: ${written(value)} is not carried over`)
  if (isDisabled) notes.push(`it was disabled: pillion start ${id} starts it, or --profile disabled`)
  if (isForeground) notes.push(`is_foreground: started by hand alone: pillion start ${id}, or --profile foreground`)
  const isDaemon = textValue(process['is_daemon']) === 'true'
  if (isDaemon)
    notes.push('is_daemon: what it leaves running ends with the run; apps that need it wait with dependsOn: completed')
  const hasPort = Number(textValue(http['port'])) > 0
  if (Object.keys(http).length > 0 && !hasPort) notes.push(`readiness_probe.http_get: ${written(http)} names no port`)
  if (/\{\{|PC_REPLICA_NUM/.test(lineOf(process))) notes.push('{{…}} and PC_REPLICA_NUM in command are not replaced')
  const probed = Number(textValue(http['port'])) || 0
  const files = Object.assign({}, ...[pathFrom(file, '.env'), own].map(envFileVariables)) as ProgramVariables
  const known = {...files, ...(env as ProgramVariables), ...(given({PORT}) as ProgramVariables)}
  const {
    keys: {command: words, ...ports},
    notes: ofPort,
    move
  } = commandStart(command, folder, known, {exact: probed})
  const ownEnv = 'port' in ports ? env : {...env, ...given({PORT})}
  return {
    id,
    folder,
    move,
    keys: given({
      ...ports,
      appProtocol: hasPort && textValue(http['scheme']).toLowerCase() === 'https' ? 'https' : undefined,
      command: command.length > 0 ? words : undefined,
      env: Object.keys(ownEnv).length > 0 ? ownEnv : undefined,
      envFile: envFiles.length > 1 ? envFiles : envFiles[0],
      dependsOn: dependenciesOf(process, ids, notes),
      ready: readyOf(process, {http: hasPort ? http : {}, probe, literal}),
      restart: isDaemon ? undefined : restartOf(mapOf(process['availability']), notes),
      stop: stopOf(mapOf(process['shutdown']), notes),
      replicas: Number(textValue(process['replicas'])) > 1 ? Number(textValue(process['replicas'])) : undefined,
      profiles: isDisabled ? ['disabled'] : isForeground ? ['foreground'] : undefined,
      tty: ['is_tty', 'is_interactive', 'is_foreground'].some(key => textValue(process[key]) === 'true') || undefined
    }),
    notes: [...notes, ...ofPort]
  }
}

const lineOf = (process: Values): string => textValue(process['command']).replaceAll('$$', '$').trim()

/** The program and its arguments: the command line in its shell, or the entrypoint. */
function wordsOf(process: Values, shell: string): readonly string[] {
  if (lineOf(process) === '') return textsOf(process['entrypoint'])
  const isUsual = ['', 'bash', 'sh', '/bin/sh', '/bin/bash'].includes(shell)
  return isUsual ? commandOf(lineOf(process)) : [shell, '-c', lineOf(process)]
}

function folderOf(file: ImportedFile, typed: string, notes: string[]): string {
  const folder = pathFrom(file, typed)
  if (typed === '' || isFolder(folder)) return folder
  notes.push(`working_dir: ${typed} is no folder here`)
  return dirname(file.path)
}

function dependenciesOf(process: Values, ids: ReadonlySet<string>, notes: string[]): Values | undefined {
  // replica 0 of a is a-0 there
  const named = Object.entries(mapOf(process['depends_on'])).map(
    ([id, how]) => [ids.has(id) ? id : id.replace(/-\d+$/, ''), how] as const
  )
  for (const [id] of named) if (!ids.has(id)) notes.push(`depends_on: there is no process ${id}`)
  const known = named.filter(([id]) => ids.has(id))
  const all = known.map(([id, how]) => {
    const condition = textValue(mapOf(how)['condition']) || 'process_completed'
    if (condition === 'process_completed')
      notes.push(`depends_on ${id}: process_completed holds whatever the exit code; here it must be 0`)
    const isReady = /^process_(?:healthy|log_ready)$/.test(condition)
    return [id, isReady ? 'ready' : condition.startsWith('process_completed') ? 'completed' : 'started'] as const
  })
  return all.length === 0 ? undefined : (Object.fromEntries(all) as Values)
}

function readyOf(
  process: Values,
  {http, probe, literal}: {http: Values; probe: Values; literal: (text: string) => string}
): unknown {
  const line = textValue(process['ready_log_line'])
  if (line !== '') return {log: literal(line.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))}
  const command = textValue(mapOf(probe['exec'])['command'])
  if (command !== '') return {command: commandOf(command).map(literal)}
  if (Object.keys(http).length === 0) return undefined
  return {http: textValue(http['path']).replace(/^\/?/, '/')}
}

function restartOf(availability: Values, notes: string[]): string | undefined {
  const policy = textValue(availability['restart'])
  if (policy === 'exit_on_failure' || textValue(availability['exit_on_end']) === 'true')
    notes.push('availability: process-compose ends all processes when this one ends; Pillion keeps the others running')
  for (const key of ['max_restarts', 'backoff_seconds'])
    if (key in availability)
      notes.push(`availability.${key}: ${written(availability[key])} is not carried over: pauses grow by themselves`)
  if (policy !== '' && !/^(?:always|on_failure|exit_on_failure|no)$/.test(policy))
    notes.push(`availability.restart: ${policy} is not carried over: write always or on-failure`)
  return policy === 'always' ? 'always' : policy === 'on_failure' ? 'on-failure' : undefined
}

function stopOf(shutdown: Values, notes: string[]): Values | undefined {
  const command = textValue(shutdown['command'])
  if (command !== '')
    notes.push(`shutdown.command: ${written(command)} is not run: the processes of the app get a signal`)
  const seconds = textValue(shutdown['timeout_seconds'])
  const stop = given({
    signal: stopSignal(textValue(shutdown['signal']), 'shutdown.signal', notes),
    timeout: ['', '0'].includes(seconds) ? undefined : `${seconds}s`
  })
  return Object.keys(stop).length === 0 ? undefined : stop
}
