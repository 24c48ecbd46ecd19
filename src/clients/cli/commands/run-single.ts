import type {RunEvent, SidecarInfo, StartedApp} from '../../../model/events.ts'
import {exitText} from '../../../model/exit-text.ts'
import {flaggedPlan} from '../flagged-plan.ts'
import {succeeded, type Exit} from '../../../model/app-state.ts'
import {findTemplate} from '../../../files/config/find.ts'
import {singlePlan} from '../../../files/config/single.ts'
import type {CommandContext} from '../command-handler.ts'
import {flagVariables} from '../flag.ts'
import {openInput} from '../input.ts'
import {signedLine, type Sign} from '../print.ts'
import {shownStatus, UP} from '../say.ts'
import {reloadText, sleepText} from '../reload-words.ts'
import type {Form} from '../run-form.ts'
import type {AppValues} from '../../../files/config/keys.ts'
import {isTemplatePath, surroundings} from '../template-named.ts'
import type {Terminal} from '../terminal.ts'
import {randomInt} from 'node:crypto'
import type {LogEntry} from '../../../model/log-entry.ts'
import {type LogLevel, writesAt} from '../../../model/plan.ts'
import type {GivenFlags} from '../given-flags.ts'

type Say = (status: Sign, message: string) => void

/** `run [flags] [-- command]`: runs one app and passes its output through; without a command only a sidecar. */
export function singleRun({flags, words, asJson}: CommandContext, terminal: Terminal): Form {
  const id = flags.text('app-id') || readableId()
  const typed = singlePlan(id, singleSettings(flags, words), {...surroundings(), variables: flagVariables(flags)})
  const plan = flaggedPlan(typed, flags)
  const say: Say = (status, message) => {
    const stream = status === 'failure' ? terminal.err : terminal.out
    void stream.print(signedLine(status, message, asJson))
  }
  const isMistaken = words.length === 0 && !flags.names.includes('app-id') && isThere('.')
  if (words.length === 0) void terminal.out.print('WARNING: no application command found.\n')
  const reporter = new SingleRunReporter(say, terminal, asJson)
  return {
    plan,
    form: {
      kind: 'single',
      input: openInput(),
      err: text => terminal.err.write(text),
      shows: shownLines(flags, plan.apps[0]?.sidecar.logLevel ?? 'info', asJson)
    },
    isJson: asJson,
    workMode: flags.isSet('forget') ? 'forgotten' : undefined,
    emit: event => {
      reporter.report(event)
      if (isMistaken && event.type === 'app-started')
        void terminal.err.print(shownStatus(process.stderr, 'warning', MISTAKEN, asJson))
    },
    ended: () => {
      reporter.end()
      const [first = ''] = words
      const hint = `${first} is no program. As a template: pillion run -f ${first}`
      if (reporter.isNotFound && isTemplatePath(first) && isThere(first))
        void terminal.err.print(shownStatus(process.stderr, 'warning', hint, asJson))
    }
  }
}

/** Whether a path is a YAML file, or a folder with a template. */
function isThere(path: string): boolean {
  try {
    return findTemplate(path, process.cwd()).file !== ''
  } catch {
    return false
  }
}

const MISTAKEN = `This is a sidecar without an app. To run the apps of the template in this folder: ${UP}`

/** Reports a single app from its start to its end; the texts are those of Dapr's `cmd/run.go`. */
class SingleRunReporter {
  readonly #say: Say
  readonly #terminal: Terminal
  readonly #asJson: boolean
  #exit: Exit | undefined
  #hasStarted = false
  #isStopping = false

  get isNotFound(): boolean {
    return this.#exit?.kind === 'spawn-error'
  }

  constructor(say: Say, terminal: Terminal, asJson: boolean) {
    this.#say = say
    this.#terminal = terminal
    this.#asJson = asJson
  }

  report(event: RunEvent): void {
    switch (event.type) {
      case 'sidecar-opened':
        return this.#opened(event.app)
      case 'app-started':
        return this.#started(event.app)
      case 'app-ended':
        return this.#ended(event.exit)
      case 'stopping':
        this.#isStopping = true
        return this.#say('info', '\nterminated signal received: shutting down')
      case 'reloaded':
        return this.#say('info', reloadText(event))
      case 'app-asleep':
      case 'app-woken':
        return this.#say('info', sleepText(event))
      case 'template-edited':
      case 'policy-decided':
      case 'fault-changed':
      case 'replayed':
      case 'info':
        return this.#say('info', event.text)
      case 'app-moved':
      case 'manager-opened':
      case 'notified':
        return // `app-started` and `app-ended` report the state; a single app cannot be a Daeploy service
      case 'warned':
        void this.#terminal.err.print(shownStatus(process.stderr, 'warning', event.text, this.#asJson, event.code))
    }
  }

  /** Prints Dapr's last lines: the sidecar first, then the app. */
  end(): void {
    const exit = this.#exit
    if (exit?.kind === 'spawn-error') return this.#say('success', 'Start App failed, try to stop Dapr successfully')
    if (!this.#isStopping) this.#say('info', '\nterminated signal received: shutting down')
    this.#say('success', 'Exited Dapr successfully')
    if (!this.#hasStarted) return
    if (exit === undefined || succeeded(exit)) return this.#say('success', 'Exited App successfully')
    const how = exit.kind === 'code' ? `app exited with status ${exit.code}` : `app terminated by ${exitText(exit)}`
    this.#say('failure', `Error exiting App: ${how}`)
  }

  #opened({id, httpPort, grpcPort, appPort}: SidecarInfo): void {
    this.#say('info', `Starting Dapr with id ${id}. HTTP Port: ${httpPort}. gRPC Port: ${grpcPort}`)
    if (appPort > 0) return
    this.#say('info', `Checking if Dapr sidecar is listening on HTTP port ${httpPort}`)
    this.#say('info', `Checking if Dapr sidecar is listening on GRPC port ${grpcPort}`)
    this.#say('info', 'Dapr sidecar is up and running.')
  }

  #started({pid, command}: StartedApp): void {
    if (command.length === 0) return this.#say('success', "You're up and running! Dapr logs will appear here.\n")
    if (pid === 0) return
    this.#hasStarted = true
    this.#say('info', `Updating metadata for appPID: ${pid}`)
    this.#say('info', `Updating metadata for app command: ${command.join(' ')}`)
    this.#say('success', "You're up and running! Both Dapr and your app logs will appear here.\n")
  }

  #ended(exit: Exit): void {
    this.#exit = exit
    if (exit.kind === 'spawn-error') this.#say('failure', `Failed to find command ${exit.message}`)
    else if (succeeded(exit)) this.#say('success', 'Exited App successfully')
    else if (exit.kind === 'code') this.#say('failure', `The App process exited with error code: ${exit.code}`)
    else this.#say('failure', `The App process was terminated by ${exitText(exit)}`)
  }
}

const QUALITIES =
  'amber brave brisk calm clever cosy dapper eager early fair fleet fond gentle glad golden hardy honest jolly keen kind lively lucky merry mild noble patient plucky polite proud quick quiet ready rosy shy silver sly snug sober steady sunny swift tidy trusty warm wary wise witty young'.split(
    ' '
  )
const ANIMALS =
  'badger beaver bison bobcat crane curlew deer dipper dormouse eagle egret falcon ferret finch fox gannet goose grouse hare hawk hedgehog heron ibex jackdaw kestrel kite lark linnet lynx magpie marmot marten mole newt otter owl panda pipit plover puffin rabbit raven robin seal shrew sparrow stoat stork swan thrush tortoise vole walrus wren'.split(
    ' '
  )

/** Returns a random id that is easy to say, type and remember, such as `steady-otter`. */
const readableId = (): string => `${pick(QUALITIES)}-${pick(ANIMALS)}`

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? ''

/** Flags of Dapr's CLI, each with the log line that shows its effect: Dapr's own tests wait for these lines. */
const FOR_ONE: readonly (readonly [flag: string, line: RegExp])[] = [
  ['resources-path', /^Component loaded: /],
  ['components-path', /^Component loaded: /],
  ['dapr-internal-grpc-port', /^Internal gRPC server is running on /]
]

/** Scopes of the lines that log API calls. A flag or a Configuration turns them on. */
const API_LOG = ['dapr.runtime.http-info', 'dapr.runtime.grpc.api-info']

/**
 * Returns a filter of the sidecar's log lines that the run of a single app prints. A flag for the log, or JSON output, selects all lines from
 * the level `least` on. Otherwise selects warnings, errors, the API log, and lines that show the effect of a given flag.
 */
function shownLines(flags: GivenFlags, least: LogLevel, asJson: boolean): (entry: LogEntry) => boolean {
  const {names} = flags
  if (asJson || flags.isSet('enable-api-logging') || names.includes('log-level'))
    return ({level}) => writesAt(least, level)
  const lines = FOR_ONE.flatMap(([flag, line]) => (names.includes(flag) ? line : []))
  return ({level, scope, message}) =>
    writesAt('warn', level) || API_LOG.includes(scope) || lines.some(line => line.test(message))
}

/** Converts the flags of `run` into template keys. Flags that were not given are omitted. */
function singleSettings(flags: GivenFlags, command: readonly string[]): AppValues {
  const said = {
    appPort: flags.int('app-port'),
    port: flags.text('port'),
    appProtocol: flags.text('app-protocol'),
    appChannelAddress: flags.text('app-channel-address') ?? '127.0.0.1',
    appMaxConcurrency: flags.int('app-max-concurrency'),
    appSSL: flags.isSet('app-ssl') || undefined,
    daprHTTPPort: flags.int('dapr-http-port'),
    daprGRPCPort: flags.int('dapr-grpc-port'),
    daprInternalGRPCPort: flags.int('dapr-internal-grpc-port'),
    metricsPort: flags.int('metrics-port'),
    profilePort: flags.int('profile-port'),
    enableProfiling: flags.isSet('enable-profiling') || undefined,
    configFilePath: flags.text('config'),
    resourcesPaths: paths([...flags.list('components-path'), ...flags.list('resources-path')]),
    placementHostAddress: flags.text('placement-host-address'),
    schedulerHostAddress: flags.text('scheduler-host-address'),
    logLevel: flags.text('log-level'),
    enableApiLogging: flags.isSet('enable-api-logging') || undefined,
    enableAppHealthCheck: flags.isSet('enable-app-health-check') || undefined,
    appHealthCheckPath: flags.text('app-health-check-path'),
    appHealthProbeInterval: flags.int('app-health-probe-interval'),
    appHealthProbeTimeout: flags.int('app-health-probe-timeout'),
    appHealthThreshold: flags.int('app-health-threshold'),
    maxBodySize: flags.text('max-body-size'),
    readBufferSize: flags.text('read-buffer-size'),
    apiListenAddresses: flags.text('dapr-listen-addresses'),
    unixDomainSocket: flags.text('unix-domain-socket'),
    runtimePath: flags.text('runtime-path'),
    watch: flags.isSet('watch') || undefined,
    command
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

const paths = (given: readonly string[]): readonly string[] | undefined => (given.length > 0 ? given : undefined)
