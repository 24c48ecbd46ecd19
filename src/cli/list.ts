import type {FoundRun} from '../control/client.ts'
import type {ListedApp, RunListing} from '../control/messages.ts'
import {UserError} from '../model/errors.ts'
import type {CommandHandler} from './command-handler.ts'
import {runsHere} from './pick-run.ts'
import {print} from './print.ts'
import {tableOf} from './table.ts'

/** The keys of `list -o json|yaml`, in the order that scripts read (`pkg/standalone/list.go` of Dapr's CLI). */
interface Row {
  readonly appId: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly appPort: number
  readonly metricsEnabled: boolean
  readonly command: string
  readonly age: string
  readonly created: string
  readonly daprdPid: number
  readonly cliPid: number
  readonly appPid: number
  readonly maxRequestBodySize: number
  readonly httpReadBufferSize: number
  readonly runTemplatePath: string
  readonly appLogPath: string
  readonly daprdLogPath: string
  readonly runTemplateName: string
  readonly version: string
  readonly main: boolean
}

/** `list [-o json|yaml|table]`: every app of every run of the user. */
export const list: CommandHandler = async ({flags, asJson}) => {
  const output = flags.text('output') ?? ''
  if (!['', 'table', 'json', 'yaml'].includes(output)) throw new UserError('An invalid output format was specified.')
  const runs = await runsHere(asJson)
  const rows = runs.flatMap(({listing}) => listing.apps.map(app => rowOf(app, listing, Date.now())))
  if (output === 'json') print(process.stdout, htmlEscaped(JSON.stringify(rows, null, 2)))
  else if (output === 'yaml') print(process.stdout, (await import('./yaml.ts')).stringify(rows, {lineWidth: 0}))
  else print(process.stdout, rows.length === 0 ? 'No Dapr instances found.\n' : table(rows, runs))
  return 0
}

function rowOf(app: ListedApp, run: RunListing, now: number): Row {
  return {
    appId: app.appId,
    httpPort: app.httpPort,
    grpcPort: app.grpcPort,
    appPort: app.appPort,
    metricsEnabled: true,
    command: app.command.length > 20 ? `${app.command.slice(0, 17)}...` : app.command,
    age: age(now - app.createdAt),
    created: created(new Date(app.createdAt)),
    daprdPid: run.pid,
    cliPid: run.pid,
    appPid: app.appPid,
    maxRequestBodySize: app.maxRequestBodySize,
    httpReadBufferSize: app.httpReadBufferSize,
    runTemplatePath: run.templateFile,
    appLogPath: app.appLogPath,
    daprdLogPath: app.daprdLogPath,
    runTemplateName: run.templateName,
    version: app.version,
    main: app.isMain
  }
}

/** Columns that are blank in every row are left out; on a terminal the state of each app is shown too. */
function table(rows: readonly Row[], runs: readonly FoundRun[]): string {
  const states = runs.flatMap(({listing}) => listing.apps.map(({state}) => state))
  const hasVersions = rows.some(({version}) => version !== '0.0.0')
  return tableOf([
    ['APP ID', rows.map(row => row.appId)],
    ['VERSION', rows.map(row => (hasVersions ? row.version : ''))],
    ['MAIN', rows.map(row => (hasVersions ? row.main.toString() : ''))],
    ['HTTP PORT', rows.map(row => row.httpPort.toString())],
    ['GRPC PORT', rows.map(row => row.grpcPort.toString())],
    ['APP PORT', rows.map(row => row.appPort.toString())],
    ['COMMAND', rows.map(row => row.command)],
    ['AGE', rows.map(row => row.age)],
    ['CREATED', rows.map(row => row.created)],
    ['DAPRD PID', rows.map(row => row.daprdPid.toString())],
    ['CLI PID', rows.map(row => row.cliPid.toString())],
    ['APP PID', rows.map(row => (row.appPid === 0 ? '' : row.appPid.toString()))],
    ['RUN TEMPLATE PATH', rows.map(row => row.runTemplatePath)],
    ['APP LOG PATH', rows.map(row => row.appLogPath)],
    ['DAPRD LOG PATH', rows.map(row => row.daprdLogPath)],
    ['RUNTEMPLATENAME', rows.map(row => row.runTemplateName)],
    ...(process.stdout.isTTY ? [['STATE', states] as const] : [])
  ])
}

/** `12s`, `3m`, `4h`, `2d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds <= 60) return `${seconds.toString()}s`
  if (seconds <= 3600) return `${Math.floor(seconds / 60).toString()}m`
  if (seconds <= 86_400) return `${Math.floor(seconds / 3600).toString()}h`
  return `${Math.floor(seconds / 86_400).toString()}d`
}

/** `2006-01-02 15:04.05`, local time, with Dapr's dot before the seconds. */
export function created(at: Date): string {
  const day = `${at.getFullYear().toString()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}.${two(at.getSeconds())}`
}

const two = (n: number): string => n.toString().padStart(2, '0')

/** Go's JSON writes these three as escapes. */
const htmlEscaped = (json: string): string => json.replace(/[<>&]/g, sign => `\\u00${sign.charCodeAt(0).toString(16)}`)
