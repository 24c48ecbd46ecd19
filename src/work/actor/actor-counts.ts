import type {ActorCounts} from '../../model/work-event.ts'
import type {Actors} from './actors.ts'
import type {Actor} from './actor.ts'

/** Counts the waiting calls, timers and reminders of each type that an instance hosts. `reminders`: numbers of stored reminders by type. */
export const countsAt = (
  {table, timers}: Pick<Actors, 'table' | 'timers'>,
  instance: string,
  reminders: ReadonlyMap<string, number>
): readonly ActorCounts[] =>
  table.types
    .filter(({hosts}) => [...hosts].some(({host}) => host.instance === instance))
    .map(({name, hosts, actors}) => {
      const [first] = hosts
      // counts an actor without a host at the first host of its type
      const isHere = ({place = first}: Actor): boolean => place?.host.instance === instance
      let pending = 0
      for (const actor of actors.values())
        if (actor.waiting !== undefined && isHere(actor)) pending += actor.waiting.length
      return {actor: name, pending, timers: timers.countOf(name, instance), reminders: reminders.get(name) ?? 0}
    })
