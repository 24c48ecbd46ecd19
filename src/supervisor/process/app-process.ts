import type {Readable} from 'node:stream'
import {endGroup, type GroupEnding} from './end-group.ts'
import {containerOf, removeContainers} from '../../platform/containers.ts'
import {spawnGroup, type ProcessGroup, type SpawnOptions} from '../../platform/process-group.ts'
import {Output} from './output.ts'
import type {ProcessPipes} from '../../platform/pipes.ts'
import type {ProcessTerminal} from './app-terminal.ts'
import type {LimitedProcess} from '../../platform/resource-limits.ts'
import {succeeded, type Exit} from '../../model/app-state.ts'
import type {Listening} from '../../platform/listeners.ts'
import type {Seen} from '../../platform/process-info.ts'
import {backgroundServer, gone} from './background-server.ts'
import type {OwnContainers} from './watchdog.ts'

export interface AppProcessOptions extends Pick<SpawnOptions, 'command' | 'folder' | 'env'> {
  /** Resource limits of the process; omitted: none. */
  readonly limited?: LimitedProcess | undefined
  readonly stdio: ProcessPipes | ProcessTerminal
  /** Stdin of the process; undefined: empty. */
  readonly input: Readable | undefined
  readonly isRaw: boolean
  readonly take: (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined
  /** `NAME=value` in the environment of the process and its children. */
  readonly marker: string
}

/** The part of the options that is prepared before pipes are needed. */
export type ProcessPlace = Pick<AppProcessOptions, 'folder' | 'env' | 'limited' | 'marker'>

export type ProcessEnding = Omit<GroupEnding, 'group' | 'output' | 'marker'>

interface Following {
  /** Returns whether the app was ready when its process ended. */
  readonly wasReady: () => boolean
  readonly over: AbortSignal
  readonly followed: (pid: number) => void
}

/** A spawned process of an app with its group, pipes and children, from the spawn until all are gone. */
export class AppProcess {
  readonly marker: string
  readonly group: ProcessGroup
  /** Container that the command runs, which survives SIGKILL of the command; undefined: none. */
  readonly container: OwnContainers | undefined
  readonly #output: Output
  readonly #input: Readable | undefined
  readonly #limited: LimitedProcess | undefined
  readonly #bornAt = performance.now()
  /** Server that the leader has left in the background; undefined: none. */
  server: Seen | undefined
  #endedAt: number | undefined

  constructor({input, marker, isRaw, take, limited, ...options}: AppProcessOptions) {
    const {stdio} = options
    this.marker = marker
    this.#limited = limited
    this.container = lastingContainer(options)
    const command = [...(limited?.prefix ?? []), ...options.command]
    this.group = spawnGroup({...options, command, hasInput: input !== undefined})
    void this.#timeLife()
    this.#output = new Output(stdio, isRaw, take)
    this.#input = input
    this.#feed()
  }

  #feed(): void {
    const {stdin} = this.group
    if (stdin === null) return
    if (this.#input?.readableEnded) stdin.end()
    else this.#input?.pipe(stdin)
  }

  /** Number of the process group, or of the group of a server in the background. */
  get pid(): number | undefined {
    return this.server?.group ?? this.group.pid
  }

  async #timeLife(): Promise<void> {
    await this.group.exited
    this.#endedAt = performance.now()
  }

  /** Settles when the leader has exited, and all servers that it has left in the background. `followed`: called for each such server. */
  async ended(listening: Listening, {wasReady, over, followed}: Following): Promise<void> {
    const app = {group: this.group.pid, marker: this.marker}
    if (!succeeded(await this.group.exited) || listening.port === 0) return
    for (;;) {
      const isReady = wasReady()
      const server = await backgroundServer(app, listening, {wasReady: isReady, over})
      if (server === undefined) return
      this.server = server
      this.#endedAt = undefined
      followed(server.pid)
      await gone(server, over)
      this.#endedAt = performance.now()
    }
  }

  /** Life of the process by `performance.now()`: from the spawn until its end, or until now. */
  get lived(): {readonly from: number; readonly to: number; readonly pid: number | undefined} {
    return {pid: this.group.pid, from: this.#bornAt, to: this.#endedAt ?? performance.now()}
  }

  /** Ends all processes and containers that are left, and resolves with the exit of the leader. */
  async end(ending: ProcessEnding): Promise<Exit> {
    const {group, marker} = this
    await endGroup({...ending, group, marker, output: this.#output})
    if (group.stdin !== null) this.#input?.unpipe(group.stdin)
    this.#output.release()
    this.#limited?.release()
    // a process that hangs in the kernel counts as killed: it exits when the kernel returns
    const exit = group.hasExited() ? await group.exited : ({kind: 'signal', signal: 'SIGKILL'} as const)
    const isKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL'
    if (isKilled && this.container !== undefined) await removeContainers(this.container, this.container.env)
    return exit
  }
}

/** Returns the container that a command runs; undefined: none, or the command builds an image first, so that the name may be another program's. */
function lastingContainer({command, env}: Pick<AppProcessOptions, 'command' | 'env'>): OwnContainers | undefined {
  const container = containerOf(command)
  const before = command.slice(0, command.indexOf(container?.engine ?? ''))
  return container === undefined || /\bbuild\b/.test(before.join(' ')) ? undefined : {...container, env}
}
