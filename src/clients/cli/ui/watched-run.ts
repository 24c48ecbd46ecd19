import {findRuns, type FoundRun} from '../../../control/client.ts'
import {messageOf} from '../../../model/errors.ts'
import {pause} from '../../../platform/delay.ts'
import {pickRun, type RunPlace} from '../pick-run.ts'
import type {App, Event} from '../../../model/api.generated.ts'
import {instanceName} from '../../../model/plan.ts'
import {isSuspended} from '../../../platform/process-table.ts'
import {usageOf} from '../../../platform/usage.ts'
import {followedEvents} from '../followed-events.ts'
import {withUsage, type ShownApp, type UsageSample} from '../app-table.ts'

/** Interval at which memory and CPU are read. With 200 apps, reading them is most of this command's work. */
const USAGE_EVERY_MS = 2000

const LOOK_EVERY_MS = 500

const ENDED = {
  ended: 'the run has ended: waiting for the next one (q: quit)',
  gone: 'the run is gone without a word (killed?): waiting for the next one (q: quit)'
} as const

/** Reason why no run is shown. */
export interface NoRun {
  readonly notice: string
}

interface RunFollower {
  readonly signal: AbortSignal
  readonly changed: () => void
  /** Called with each run, and with a notice when there is none. */
  readonly watch: (run: WatchedRun | NoRun) => void
}

/** Follows one run of a place after the other. Rejects with errors of a run's API. */
export async function followRuns(place: RunPlace, first: FoundRun | undefined, follower: RunFollower): Promise<void> {
  const {signal, changed, watch} = follower
  let run = first
  while (!signal.aborted) {
    run ??= await nextRun(place, follower)
    if (run === undefined) continue
    const watched = new WatchedRun(run, changed)
    run = undefined
    watch(watched)
    const end = await watched.follow(signal).catch((error: unknown) => {
      if (signal.aborted) return 'ended' as const
      throw error
    })
    watch({notice: ENDED[end]})
  }
}

async function nextRun(place: RunPlace, {signal, watch}: RunFollower): Promise<FoundRun | undefined> {
  await pause(LOOK_EVERY_MS, signal)
  if (signal.aborted) return undefined
  try {
    return pickRun(await findRuns(process.env), place)
  } catch (error) {
    watch({notice: messageOf(error)}) // several runs are meant: waits until only one is left
    return undefined
  }
}

/** The apps of a run, as they are now. */
export class WatchedRun {
  readonly run: FoundRun
  readonly #changed: () => void
  #apps: ReadonlyMap<string, App>
  #usage: UsageSample | undefined
  #before: UsageSample | undefined
  #isSuspended = false
  #isOver = false
  #timer: NodeJS.Timeout | undefined

  /** `changed` is called when there is something new to show. */
  constructor(run: FoundRun, changed: () => void) {
    this.run = run
    this.#changed = changed
    this.#apps = appsByKey(run.listing.apps)
  }

  /** The apps in the order of the template. */
  get apps(): readonly ShownApp[] {
    const {at = Date.now(), usage = new Map()} = this.#usage ?? {}
    return withUsage([...this.#apps.values()], {usage, now: at, before: this.#before})
  }

  /** Whether the run's process is suspended (Ctrl-Z), so that it answers no request. */
  get isSuspended(): boolean {
    return this.#isSuspended
  }

  /** Returns the API's name of an instance for an action: the id, if the app has only one instance. The action concerns all its versions. */
  targetOf({id, instance}: App): string {
    const hasOthers = [...this.#apps.values()].some(each => each.id === id && each.instance !== instance)
    return hasOthers ? `${id}.${instance}` : id
  }

  /** Returns the name of this instance with its version, for reading commands. */
  nameOf(app: App): string {
    return `${this.targetOf(app)}@${app.version}`
  }

  /** Follows the run until it has ended. Returns `gone` if it ended without a last event. Rejects when `signal` aborts. */
  async follow(signal: AbortSignal): Promise<'ended' | 'gone'> {
    void this.#readUsage()
    try {
      for await (const event of followedEvents(this.run, {types: 'app'}, signal)) {
        if (event.type === 'bye') return 'ended'
        this.#take(event)
      }
      return 'gone'
    } finally {
      this.#isOver = true
      clearTimeout(this.#timer)
    }
  }

  #take(event: Event): void {
    if (event.type === 'hello' || event.type === 'reset') this.#apps = appsByKey(event.data.apps)
    else if (event.type === 'app') {
      const apps = new Map(this.#apps)
      if (event.data.state === 'removed') apps.delete(appKey(event.data))
      else apps.set(appKey(event.data), event.data)
      this.#apps = apps
    } else return
    this.#changed()
  }

  async #readUsage(): Promise<void> {
    const pids = new Set([...this.#apps.values()].map(({pid}) => pid).filter(pid => pid > 0))
    const usage = await usageOf(pids)
    if (this.#isOver) return
    this.#before = this.#usage
    this.#usage = {at: Date.now(), usage}
    this.#isSuspended = isSuspended(this.run.listing.pid)
    this.#changed()
    this.#timer = setTimeout(() => void this.#readUsage(), USAGE_EVERY_MS)
  }
}

const appsByKey = (apps: readonly App[]): ReadonlyMap<string, App> => new Map(apps.map(app => [appKey(app), app]))

/** Returns a key of an app that stays the same over reloads. */
export const appKey = ({id, version, instance}: App): string => instanceName(`${id}@${version}`, instance)
