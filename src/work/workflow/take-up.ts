import {Engine, type EngineOptions} from './engine.ts'
import {fits, RETENTION, offerTurn} from './inbox.ts'
import {isTerminal, STALLED} from './status.ts'
import {expire, fireTimer, markGone, startNow} from './tasks.ts'
import {TurnItem, type ActivityItem} from './work-items.ts'
import {START, TIMER, type OpenActivity} from './workflow-store.ts'

/* Reads work from the file into memory: after the start of a run, when workers have room, and after an undone change. */

/** Opens the engine, with the work that waits in the file. */
export function openEngine(options: EngineOptions): Engine {
  const engine = new Engine(options)
  const {wakeUps} = options
  takeUp(engine)
  wakeUps.serve(TIMER, wakeUp => fireTimer(engine, wakeUp))
  wakeUps.serve(START, wakeUp => startNow(engine, wakeUp))
  wakeUps.serve(RETENTION, ({owner}) => expire(engine, owner))
  return engine
}

/** Reads the work that waits in the file: the first portion of each app. */
export function takeUp(engine: Engine): void {
  engine.leftWork.begin()
  engine.isUndone = false
  for (const app of engine.leftWork.apps) takeMore(engine, app)
}

/** Reads the next portion of an app. */
export function takeMore(engine: Engine, app: string): void {
  const {instances, activities} = engine.leftWork.next(app)
  for (const key of instances) {
    const live = engine.live.at(key)
    if (live !== undefined) offerTurn(engine, live, true)
  }
  for (const activity of activities) takeActivity(engine, activity)
}

/** Finds an activity that is not in memory: an earlier run has sent it to a worker, which answers now. */
export function leftActivity(engine: Engine, app: string, id: string, task: number): ActivityItem | undefined {
  const isLeft = engine.isUndone || engine.leftWork.of(app) !== undefined
  const activity = isLeft ? engine.store.activity(app, id, task) : undefined
  return activity && takeActivity(engine, activity)
}

function takeActivity(engine: Engine, activity: OpenActivity): ActivityItem | undefined {
  if (engine.activities.at(activity) !== undefined) return undefined
  const instance = engine.store.at(activity.instance)
  if (instance === undefined || !fits(engine, instance, activity.app, activity.request.length)) return undefined
  return engine.add(activity, instance)
}

/** Returns the apps whose workers could accept more work than is in memory. */
export const appsWithCapacity = ({leftWork, workers}: Engine): readonly string[] =>
  leftWork.apps.filter(app => workers.get(app)?.hasCapacity === true)

/** Whether a turn that a worker has is wanted again, as an undone change had ended it. */
function isAwaited({store, held}: Engine, item: TurnItem): boolean {
  const {key} = item.live.instance
  const now = store.at(key)
  return item.live.turn !== item && !held.has(key) && now !== undefined && !isTerminal(now.status) && item.isTurnOf(now)
}

/** Makes memory agree with the file again after an undone change. Workers keep the work that they have. */
export function reread(engine: Engine): void {
  const {store, changed, held, live: all} = engine
  for (const key of changed.keys()) {
    const now = store.at(key)
    if (now === undefined) markGone(engine, key)
    else changed.set(key, now)
  }
  for (const item of engine.activities.reread(activity => store.isOpen(activity))) engine.dismiss(item)
  for (const key of held.keys()) if (store.at(key)?.status !== STALLED) held.delete(key)
  for (const live of all.inTurn)
    if (live.turn !== undefined && !engine.workersOf(live.instance.app).isInHand(live.turn)) engine.dropTurn(live)
  for (const workers of engine.workers.values())
    for (const item of workers.inHand())
      if (item instanceof TurnItem && isAwaited(engine, item)) {
        all.adopt(item)
        engine.droppedTurns.delete(item)
      }
  all.reread()
  engine.leftWork.clear()
  engine.isUndone = true
}
