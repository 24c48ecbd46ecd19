import {ActivityItem, TurnItem} from './work-items.ts'
import type {WorkItem} from './workers.ts'

/** Work that a worker has in hand: an activity, or a turn of a workflow's own code. */
export interface HeldWork {
  readonly kind: 'activity' | 'turn'
  readonly name: string
  readonly app: string
  readonly id: string
}

/** Describes items, except unwanted activities. */
export const heldWork = (items: readonly WorkItem[]): readonly HeldWork[] =>
  items.flatMap((item): HeldWork[] => {
    if (item instanceof TurnItem) {
      const {app, id} = item.live.instance
      return [{kind: 'turn', name: item.name, app, id}]
    }
    if (!(item instanceof ActivityItem) || item.isDropped) return []
    return [{kind: 'activity', name: item.name, app: item.source, id: item.id}]
  })
