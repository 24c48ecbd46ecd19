import type {Readable} from 'node:stream'
import {endGroup} from './ending.ts'
import type {Group, Spawn} from './group.ts'
import {Output} from './output.ts'
import type {LifePipes} from './pipes.ts'
import type {Stray} from './remains.ts'
import type {StopPlan} from '../plan.ts'
import type {Exit} from '../state.ts'

export interface LifeOptions {
  readonly spawn: Spawn
  readonly command: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly pipes: LifePipes
  /** What the process reads; undefined: nothing. */
  readonly input: Readable | undefined
  readonly isRaw: boolean
  readonly take: (stream: 'stdout' | 'stderr', text: string) => Promise<void> | undefined
  /** `NAME=value` that all of this life carries. */
  readonly mark: string
}

export interface LifeEnding {
  readonly stop: StopPlan
  readonly isSuccess: boolean
  readonly now: AbortSignal
  readonly ended: (stray: Stray) => void
}

/** One life of an app: a process with its group, its pipes and its offspring, from the spawn until all are gone. */
export class Life {
  readonly mark: string
  readonly group: Group
  readonly #output: Output
  readonly #input: Readable | undefined
  readonly #bornAt = performance.now()
  #endedAt: number | undefined

  constructor({spawn, input, mark, isRaw, take, ...options}: LifeOptions) {
    const {pipes} = options
    this.mark = mark
    this.group = spawn({...options, hasInput: input !== undefined})
    void this.#timeLife()
    this.#output = new Output({pipes, isRaw, take})
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

  /** From the spawn until the leader was reaped, or until now (`performance.now()`). */
  get lived(): {readonly from: number; readonly to: number} {
    return {from: this.#bornAt, to: this.#endedAt ?? performance.now()}
  }

  /** Ends whatever is left of it; never rejects for what processes do. */
  async end(ending: LifeEnding): Promise<Exit> {
    const {group, mark} = this
    await endGroup({...ending, group, mark, output: this.#output})
    if (group.stdin !== null) this.#input?.unpipe(group.stdin)
    this.#output.letGo()
    // one that hangs in the kernel has had its SIGKILL, and will be gone when the kernel lets it
    return group.hasExited() ? group.exited : {kind: 'signal', signal: 'SIGKILL'}
  }
}
