import {decode, encode} from '../../proxy/net/grpc/message-codec.ts'
import {DEFAULT_WORKFLOWS} from '../../files/resources/defaults.ts'
import {CHILD_REQUEST} from './far-messages.ts'
import type {Instance, Parent} from './instance.ts'
import {textOf} from './messages.ts'
import type {OpenActivities} from './open-activities.ts'
import {ActivityItem} from './work-items.ts'
import {AppWorkers, type WorkersEvents} from './workers.ts'
import type {OpenActivity, WorkflowStore} from './workflow-store.ts'

/** The run that has the app limits, and counts. */
const unlimited = (): typeof DEFAULT_WORKFLOWS => DEFAULT_WORKFLOWS

/** A child that an app of another run has, as its parent knows it. */
export interface FarChild {
  readonly app: string
  readonly id: string
  readonly parent: Omit<Parent, 'task'>
}

/** Removes such a child where it is, with all below it: how many there were. Undefined: no run has the app. Rejects with a WorkflowError. */
export type PurgeFar = (child: FarChild, isForced: boolean) => Promise<number | undefined>

/**
 * What apps of other runs are to do for instances of this one: activities and children, by app. A run that has the app is a worker here. All
 * that changes them is called within a change of the file.
 */
export class FarTasks {
  readonly #store: WorkflowStore
  readonly #activities: OpenActivities
  readonly #warn: (app: string, text: string) => void
  readonly #queues = new Map<string, AppWorkers>()
  /** The warnings about apps that are not there: each is given once. */
  readonly #warned = new Set<string>()
  readonly #events: WorkersEvents = {
    onSent: () => undefined,
    onLeft: item => {
      if (item instanceof ActivityItem && item.isDropped) this.remove(item)
    }
  }

  constructor(store: WorkflowStore, activities: OpenActivities, warn: (app: string, text: string) => void) {
    this.#store = store
    this.#activities = activities
    this.#warn = warn
  }

  of(app: string): AppWorkers {
    let queue = this.#queues.get(app)
    if (queue === undefined) this.#queues.set(app, (queue = new AppWorkers(unlimited, this.#events)))
    return queue
  }

  /** They could take more than was taken up. */
  hasCapacity(app: string): boolean {
    return this.#queues.get(app)?.hasCapacity === true
  }

  /** Apps for which something waits, and which no run is known to have. */
  get unclaimedApps(): readonly string[] {
    return [...this.#queues].flatMap(([app, queue]) => (queue.isUnclaimed ? [app] : []))
  }

  flush(): void {
    for (const queue of this.#queues.values()) queue.flush()
  }

  add(activity: OpenActivity, of: Pick<Instance, 'id' | 'app'>): ActivityItem {
    const item = this.#activities.add(activity, of, true)
    this.of(activity.app).add(item)
    return item
  }

  /** It is not wanted any more: an answer to it is none. */
  remove(item: ActivityItem): void {
    this.of(item.activity.app).remove(item)
    this.#activities.remove(item)
  }

  /** Those of an app that no run has in hand: they are not far any more. */
  take(app: string): readonly ActivityItem[] {
    const items = [...this.of(app).waiting()].filter(item => item instanceof ActivityItem)
    for (const item of items) this.remove(item)
    return items
  }

  /** The children of an instance are to be terminated where they are, with what they end with. `dismiss`: what a run has is answered once more. */
  end(instance: Instance, output: string | undefined, dismiss: (item: ActivityItem) => void): void {
    for (const child of this.#store.farChildren(instance.key)) {
      const asked = decode(CHILD_REQUEST, child.request)
      if (asked.isDetached || asked.isEnded) continue
      this.#activities.drop(child.instance, ({task}) => task === child.task).forEach(dismiss)
      const end = {...child, request: encode(CHILD_REQUEST, {...asked, isEnded: true, input: textOf(output)})}
      this.#store.addActivity(end)
      this.add(end, instance)
    }
  }

  /** Warns once of each thing that waits for an app that no run has. */
  missing(app: string): void {
    for (const item of this.of(app).waiting()) {
      if (!(item instanceof ActivityItem)) continue
      const {isChild, name, source} = item
      const text = `${isChild ? 'workflow' : 'activity'} '${name}' waits for app '${app}', which neither this template nor another run has`
      if (this.#warned.has(text)) continue
      this.#warned.add(text)
      this.#warn(source, text)
    }
  }
}
