import {rm} from 'node:fs/promises'
import {exitText} from '../../../model/exit-text.ts'
import {pause} from '../../../platform/delay.ts'
import {AppListener} from './app-listener.ts'
import {DaprdConnection} from './daprd-connection.ts'
import {DaprdProcess, type DaprdOptions} from './daprd-process.ts'
import {writeFolder, type DaprdFolder} from './resource-files.ts'
import {isFrom} from './find-daprd.ts'

/** Delay between two requests until daprd's API answers, in ms. */
const LOOK_EVERY_MS = 10
/** The same delay once LATER_MS have passed. */
const LATER_EVERY_MS = 50
const LATER_MS = 500

interface Listed {
  readonly name: string
  readonly capabilities?: readonly string[]
}

/** A daprd process next to an app, with the connection to its API, and with the listener that it takes for the app. */
export class Daprd {
  /** Resolves, when daprd is ready, with the capabilities of its open components by name. Rejects with the reason if it does not become ready. */
  readonly ready: Promise<ReadonlyMap<string, readonly string[]>>
  /** Resolves when daprd has exited, with its exit status as text. */
  readonly ended: Promise<string>
  /** The text of its file of components. */
  readonly components: string
  readonly listener: AppListener
  readonly connection: DaprdConnection
  readonly #options: DaprdOptions
  readonly #process: DaprdProcess

  static async start(options: DaprdOptions): Promise<Daprd> {
    const {program, plan, ports, env, run, life} = options
    const folder = writeFolder(options.folder, options.components)
    const listener = new AppListener(options.listener)
    try {
      const appPort = await listener.open()
      const command = commandLine({program, plan, ports, appPort, folder})
      const variables = daprdVariables({env, run, life, token: listener.token})
      const process = await DaprdProcess.start(options, {command, env: variables})
      return new Daprd(options, listener, process)
    } catch (error) {
      listener.close()
      await rm(options.folder, {recursive: true, force: true})
      throw error
    }
  }

  private constructor(options: DaprdOptions, listener: AppListener, process: DaprdProcess) {
    this.#options = options
    this.#process = process
    this.components = options.components
    this.listener = listener
    this.connection = new DaprdConnection(options.folder, options.plan.id, options.listener.warn)
    this.ended = process.exited.then(exitText)
    this.ready = this.#becomeReady()
    this.ready.catch(() => undefined)
  }

  get errors(): readonly string[] {
    return this.#process.errors
  }

  get livedMs(): number {
    return this.#process.livedMs
  }

  /** Sets an entry of daprd's metadata. Ignores a failure. */
  async tell(key: string, value: string): Promise<void> {
    await this.connection.request('PUT', `/v1.0/metadata/${key}`, value).catch(() => undefined)
  }

  /** Ends daprd. Settles when all of its processes are gone. */
  async end(): Promise<void> {
    await this.#process.end()
    this.connection.close()
    this.listener.close()
    await rm(this.#options.folder, {recursive: true, force: true})
  }

  async #becomeReady(): Promise<ReadonlyMap<string, readonly string[]>> {
    const {plan, program, ending} = this.#options
    const {timeoutMs} = plan.ready
    const gone = new AbortController()
    void this.ended.then(() => gone.abort())
    const over = AbortSignal.any([gone.signal, ending, AbortSignal.timeout(timeoutMs)])
    const startedAt = performance.now()
    for (;;) {
      const listed = await this.#listed(over)
      if (listed !== undefined) return listed
      const passedMs = performance.now() - startedAt
      if (gone.signal.aborted) throw new Error(`daprd ended before it was ready: ${await this.#whyEnded()}`)
      if (ending.aborted) throw new Error('daprd was not ready when its app ended')
      if (passedMs > timeoutMs) throw new Error(`daprd (${program.path}) was not ready within ${timeoutMs / 1000} s`)
      await pause(passedMs < LATER_MS ? LOOK_EVERY_MS : LATER_EVERY_MS, over)
    }
  }

  /** Returns the capabilities of daprd's components by name; undefined: daprd does not answer yet. */
  async #listed(signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
    try {
      const {status} = await this.connection.request('GET', '/v1.0/healthz/outbound', '', signal)
      if (status !== 204) return undefined
      const text = await this.connection.get('/v1.0/metadata', signal)
      const {components = []} = JSON.parse(text) as {components?: Listed[]}
      return new Map(components.map(({name, capabilities = []}) => [name, capabilities]))
    } catch {
      return undefined
    }
  }

  /** Returns how daprd ended, with the latest error that it logged. */
  async #whyEnded(): Promise<string> {
    const how = await this.ended
    await this.#process.end() // waits until its last lines are read
    const [last] = this.errors
    return last === undefined ? how : `${how}: ${last}`
  }
}

interface CommandLine extends Pick<DaprdOptions, 'program' | 'plan' | 'ports'> {
  readonly appPort: number
  readonly folder: DaprdFolder
}

const MIB = 1024 * 1024
/** The size of a body, in MiB, that means no limit. */
const ANY_MIB = 1024
const SCHEDULER_SINCE = [1, 14] as const

/** Returns the command line of daprd. Flags and values are separate words, since `dapr list` reads them so. */
export function commandLine({program, plan, ports, appPort, folder}: CommandLine): readonly string[] {
  const {id, sidecar, stop} = plan
  const {maxBodyBytes, readBufferBytes, logLevel} = sidecar
  const flags: readonly (readonly [string, string | number])[] = [
    ['app-id', id],
    ['app-protocol', 'http'],
    ['app-port', appPort],
    ['config', folder.config],
    ['dapr-http-port', ports.httpPort],
    ['dapr-grpc-port', ports.grpcPort],
    ['dapr-http-max-request-size', maxBodyBytes === 0 ? ANY_MIB : Math.ceil(maxBodyBytes / MIB)],
    ['dapr-http-read-buffer-size', Math.ceil(readBufferBytes / 1024)],
    ['dapr-graceful-shutdown-seconds', Math.max(1, Math.floor(stop.timeoutMs / 1000) - 1)],
    ['log-level', logLevel],
    ['placement-host-address', ''],
    ...(isFrom(program.version, SCHEDULER_SINCE) ? [['scheduler-host-address', ''] as const] : []),
    ['resources-path', folder.resources],
    ['unix-domain-socket', folder.path]
  ]
  return [
    program.path,
    ...flags.flatMap(([name, value]) => [`--${name}`, value.toString()]),
    '--enable-metrics=false',
    '--log-as-json'
  ]
}

interface DaprdEnvironment extends Pick<DaprdOptions, 'env' | 'run' | 'life'> {
  readonly token: string
}

/** Returns daprd's environment: Pillion's own, with the marks of the run. Without DAPR_API_TOKEN, since Pillion's sidecar checks tokens. */
export function daprdVariables({env, run, life, token}: DaprdEnvironment): Readonly<Record<string, string>> {
  const kept = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[0] !== 'DAPR_API_TOKEN'
  )
  return {...Object.fromEntries(kept), PILLION_RUN: run, PILLION_LIFE: life, APP_API_TOKEN: token}
}
