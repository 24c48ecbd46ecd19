import type {Readable} from 'node:stream'
import {endGroup} from './end-group.ts'
import {containerOf, removeContainers} from '../../control/containers.ts'
import {spawnGroup, type ProcessGroup} from '../../platform/process-group.ts'
import {Output} from './output.ts'
import type {ProcessPipes} from '../../platform/pipes.ts'
import type {ProcessTerminal} from './app-terminal.ts'
import type {LimitedProcess} from '../../platform/resource-limits.ts'
import type {Orphan} from './process-tracker.ts'
import type {StopPlan} from '../../model/plan.ts'
import type {Exit} from '../../model/app-state.ts'

export interface AppProcessOptions {
  readonly command: readonly string[]
  /** The limits of the process. Left out: there are none. */
  readonly limited?: LimitedProcess | undefined
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly stdio: ProcessPipes | ProcessTerminal
  /** The stdin of the process; undefined: empty. */
  readonly input: Readable | undefined
  readonly isRaw: boolean
  readonly take: (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined
  /** `NAME=value` in the environment of the process and its children. */
  readonly marker: string
}

/** What is prepared for a process before it is started. */
export type ProcessPlace = Pick<AppProcessOptions, 'folder' | 'env' | 'limited' | 'marker'>

export interface ProcessEnding {
  readonly stop: StopPlan
  readonly isSuccess: boolean
  readonly now: AbortSignal
  readonly ended: (orphan: Orphan) => void
}

/** One process of an app with its group, its pipes and its children, from the spawn until all are gone. */
export class AppProcess {
  readonly marker: string
  readonly group: ProcessGroup
  readonly #output: Output
  readonly #input: Readable | undefined
  readonly #limited: LimitedProcess | undefined
  readonly #spawned: Pick<AppProcessOptions, 'command' | 'env'>
  readonly #bornAt = performance.now()
  #endedAt: number | undefined

  constructor({input, marker, isRaw, take, limited, ...options}: AppProcessOptions) {
    const {stdio} = options
    this.marker = marker
    this.#limited = limited
    this.#spawned = options
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

  async #timeLife(): Promise<void> {
    await this.group.exited
    this.#endedAt = performance.now()
  }

  /** The time from the spawn until the leader was reaped, or until now (`performance.now()`). */
  get lived(): {readonly from: number; readonly to: number} {
    return {from: this.#bornAt, to: this.#endedAt ?? performance.now()}
  }

  /** Ends everything that is left of it; never rejects because of a process. */
  async end(ending: ProcessEnding): Promise<Exit> {
    const {group, marker} = this
    await endGroup({...ending, group, marker, output: this.#output})
    if (group.stdin !== null) this.#input?.unpipe(group.stdin)
    this.#output.release()
    this.#limited?.release()
    // a process that hangs in the kernel has received SIGKILL and will exit when the kernel returns
    const exit = group.hasExited() ? await group.exited : ({kind: 'signal', signal: 'SIGKILL'} as const)
    const {command, env} = this.#spawned
    const container = exit.kind === 'signal' && exit.signal === 'SIGKILL' ? containerOf(command) : undefined
    // what is killed while it builds an image has no container yet: one of that name is not ours
    if (container === undefined || /\bbuild\b/.test(command.slice(0, command.indexOf(container.engine)).join(' ')))
      return exit
    await removeContainers(container, env)
    return exit
  }
}
