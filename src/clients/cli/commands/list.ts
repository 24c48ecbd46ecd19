import type {FoundRun} from '../../../control/client.ts'
import type {App, Listed} from '../../../model/api.generated.ts'
import {isPlainTemplate} from '../../../model/template-name.ts'
import {age, created} from '../../../model/duration.ts'
import {faultsOn} from '../fault-text.ts'
import type {CommandHandler} from '../command-handler.ts'
import {structured} from '../structured.ts'
import {runsHere} from '../run-here.ts'
import {print} from '../print.ts'
import {tableOf} from '../table.ts'

/** `list [-o json|yaml|table]`: all apps of all runs of the user. On a terminal without `-o` it prints the table of `ps`. */
export const list: CommandHandler = async ({flags, asJson}) => {
  const output = flags.text('output') ?? ''
  const listings = (await runsHere(asJson)).map(({listing}) => listing)
  if (output === '' && process.stdout.isTTY && listings.length > 0) {
    const {psText} = await import('./ps.ts')
    print(process.stdout, await psText(listings, {isWide: true}))
    return 0
  }
  const rows = listings.flatMap(listing => listing.apps.filter(hasSidecar).map(app => rowOf(app, listing, Date.now())))
  if (output === 'json' || output === 'yaml') print(process.stdout, await structured(rows, output))
  else print(process.stdout, rows.length === 0 ? 'No Dapr instances found.\n' : table(rows))
  return 0
}

/** Whether `list` shows an app: not after `stop`, as in Dapr. An app left to the user by `--except` still has a sidecar. */
const hasSidecar = ({state, httpPort}: App): boolean => state !== 'stopped' || httpPort > 0

/** Dapr's keys in their order (`pkg/standalone/list.go` of Dapr's CLI), then our own. */
function rowOf(app: App, run: FoundRun['listing'], now: number): Listed {
  const createdAt = Date.parse(app.createdAt ?? run.startedAt)
  return {
    appId: app.id,
    httpPort: app.httpPort,
    grpcPort: app.grpcPort,
    appPort: app.appPort,
    metricsEnabled: true,
    command: app.command.length > 20 ? `${app.command.slice(0, 17)}...` : app.command,
    age: age(now - createdAt),
    created: created(new Date(createdAt)),
    daprdPid: run.pid,
    cliPid: run.pid,
    appPid: app.pid,
    maxRequestBodySize: app.maxRequestBodySize,
    httpReadBufferSize: app.httpReadBufferSize,
    runTemplatePath: run.template.file,
    appLogPath: app.logFile,
    daprdLogPath: app.sidecarLogFile,
    runTemplateName: run.template.name,
    version: app.version,
    main: app.isMain,
    state: app.state,
    ready: app.isReady,
    exitCode: app.exitCode,
    restarts: app.restarts,
    instance: app.instance,
    circuitBreakers: app.circuitBreakers,
    runName: run.name,
    ...(faultsOn(run).length > 0 && {faults: faultsOn(run).length})
  }
}

/** Returns a cell about a sidecar; '' for an app of a plain template (`pillion.yaml`). */
const ofDapr = ({runTemplatePath}: Listed, cell: string): string => (isPlainTemplate(runTemplatePath) ? '' : cell)

/** Returns the table of apps. `tableOf` omits columns that are blank in every row. */
function table(rows: readonly Listed[]): string {
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
    ['DAPRD PID', rows.map(row => ofDapr(row, row.daprdPid.toString()))],
    ['CLI PID', rows.map(row => row.cliPid.toString())],
    ['APP PID', rows.map(row => (row.appPid === 0 ? '' : row.appPid.toString()))],
    ['RUN TEMPLATE PATH', rows.map(row => row.runTemplatePath)],
    ['APP LOG PATH', rows.map(row => row.appLogPath)],
    ['DAPRD LOG PATH', rows.map(row => ofDapr(row, row.daprdLogPath))],
    ['RUNTEMPLATENAME', rows.map(row => row.runTemplateName)]
  ])
}
