import type {Instance} from '../../../src/work/workflow/instance.ts'
import {isTerminal, PENDING, RUNNING, STALLED, SUSPENDED} from '../../../src/work/workflow/status.ts'
import type {WalkRun} from './run.ts'
import type {WorkWorld} from './world.ts'

/** Whether an instance is as a caller wants it. */
const WANTED: Readonly<Record<string, (run: WalkRun, instance: Instance) => boolean>> = {
  start: (_, {status}) => status !== PENDING,
  end: (_, {status}) => isTerminal(status),
  suspension: ({workflows}, now) => workflows.hasHeard(now, SUSPENDED),
  resumption: ({workflows}, now) => workflows.hasHeard(now, RUNNING),
  termination: ({workflows}, now) => workflows.hasHeard(now, undefined)
}

/** What callers wait for. */
export const WAITS = Object.keys(WANTED)

/** A caller that waits for something of a workflow: it is answered before all has ended, or its run does. */
export class Waiting {
  readonly #world: WorkWorld
  readonly #run: WalkRun
  readonly #began: number
  readonly #app: string
  readonly #id: string
  readonly #what: string
  readonly #leaves: (() => void)[] = []
  #isLeft = false

  constructor(world: WorkWorld, app: string, id: string, what: string) {
    this.#world = world
    const run = (this.#run = world.run)
    this.#began = run.disk.run
    this.#app = app
    this.#id = id
    this.#what = what
    world.waiting.add(this)
    world.ask(
      async () => {
        const onGone = (listener: () => void): void => (this.#isLeft ? listener() : void this.#leaves.push(listener))
        // commands are answered by an instance that is there
        const found =
          what === 'start' || what === 'end'
            ? await run.workflows.appeared(app, id, onGone)
            : run.workflows.find(app, id)
        if (found === undefined) return
        const now = await run.workflows.until(found, each => this.#isMet(each), onGone)
        // after a command another one may have come
        if (now !== undefined && what === 'end' && !this.#isMet(now))
          world.watch.fault(`the ${what} of ${app} ${id} is told, but has not come`)
      },
      () => world.waiting.delete(this),
      () => world.waiting.delete(this)
    )
  }

  #isMet(instance: Instance): boolean {
    return WANTED[this.#what]?.(this.#run, instance) === true
  }

  /** The caller disconnects. */
  leave(): void {
    this.#isLeft = true
    this.#world.waiting.delete(this)
    for (const leave of this.#leaves) leave()
  }

  /** Nothing goes on: what has come was told, and that it cannot come. `isEnd`: all workflows have ended. */
  check(isEnd: boolean): void {
    const {disk, workflows} = this.#run
    const now = disk.run === this.#began && !disk.isCrashed ? workflows.find(this.#app, this.#id) : undefined
    if (now === undefined) return
    const isStalled = now.status === STALLED && ['suspension', 'resumption'].includes(this.#what)
    if (isEnd || isStalled || this.#isMet(now))
      this.#world.watch.fault(`who waits for the ${this.#what} of ${this.#app} ${this.#id} gets no answer`)
  }
}
