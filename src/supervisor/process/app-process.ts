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
  /** Limits of the process. Omitted: none. */
  readonly limited?: LimitedProcess | undefined
  readonly stdio: ProcessPipes | ProcessTerminal
  /** The stdin of the process; undefined: empty. */
  readonly input: Readable | undefined
  readonly isRaw: boolean
  readonly take: (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined
  /** `NAME=value` in the environment of the process and its children. */
  readonly marker: string
}

/** Preparation of a process before its start. */
export type ProcessPlace = Pick<AppProcessOptions, 'folder' | 'env' | 'limited' | 'marker'>

export type ProcessEnding = Omit<GroupEnding, 'group' | 'output' | 'marker'>

interface Following {
  /** Whether the app was ready when its process ended. */
  readonly wasReady: () => boolean
  readonly over: AbortSignal
  readonly followed: (pid: number) => void
}

/** An app's process with its group, pipes and children, from the spawn until all are gone. */
export class AppProcess {
  readonly marker: string
  readonly group: ProcessGroup
  /** Container of the process, which SIGKILL does not end. */
  readonly container: OwnContainers | undefined
  readonly #output: Output
  readonly #input: Readable | undefined
  readonly #limited: LimitedProcess | undefined
  readonly #bornAt = performance.now()
  /** The server that it has left in the background. */
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

  /** Number of its process group, or of the group of a server that has left that. */
  get pid(): number | undefined {
    return this.server?.group ?? this.group.pid
  }

  async #timeLife(): Promise<void> {
    await this.group.exited
    this.#endedAt = performance.now()
  }

  /** Settles when the leader and all servers that it left in the background have exited. `followed`: called for each such server. */
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

  /** The time from the spawn until the leader was reaped, or until now (`performance.now()`). */
  get lived(): {readonly from: number; readonly to: number; readonly pid: number | undefined} {
    return {pid: this.group.pid, from: this.#bornAt, to: this.#endedAt ?? performance.now()}
  }

  /** Ends all that is left of it. Never rejects because of a process. */
  async end(ending: ProcessEnding): Promise<Exit> {
    const {group, marker} = this
    await endGroup({...ending, group, marker, output: this.#output})
    if (group.stdin !== null) this.#input?.unpipe(group.stdin)
    this.#output.release()
    this.#limited?.release()
    // a process that hangs in the kernel has received SIGKILL and will exit when the kernel returns
    const exit = group.hasExited() ? await group.exited : ({kind: 'signal', signal: 'SIGKILL'} as const)
    const isKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL'
    if (isKilled && this.container !== undefined) await removeContainers(this.container, this.container.env)
    return exit
  }
}

/** The container of a command, which lives on when the command is killed. While the command builds the image, a container of that name is not ours. */
function lastingContainer({command, env}: Pick<AppProcessOptions, 'command' | 'env'>): OwnContainers | undefined {
  const container = containerOf(command)
  const before = command.slice(0, command.indexOf(container?.engine ?? ''))
  return container === undefined || /\bbuild\b/.test(before.join(' ')) ? undefined : {...container, env}
}
