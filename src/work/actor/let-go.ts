import {inParallel} from '../../platform/in-parallel.ts'
import type {Actor} from './actor.ts'

const AT_ONCE = 32

interface LetGoOptions {
  readonly all: () => readonly Actor[]
  readonly letGo: (actor: Actor) => Promise<void>
  /** Whether calls under way may end; otherwise they are cut. */
  readonly drains: (actor: Actor) => boolean
  readonly signal: AbortSignal
  /** Aborted when calls under way are no longer waited for. */
  readonly late?: AbortSignal | undefined
}

/** Deactivates all actors of a process, each once its turn is over; false if `signal` or `late` is aborted first. */
export async function letGo({all, letGo: release, drains, signal, late}: LetGoOptions): Promise<boolean> {
  for (let actors = all(); actors.length > 0; actors = all()) {
    if (signal.aborted) return false
    const idle = actors.filter(({inside, isLeaving}) => inside === undefined && !isLeaving)
    const releaseIdle = async (actor: Actor): Promise<void> => {
      if (!signal.aborted && actor.inside === undefined && !actor.isLeaving) await release(actor)
    }
    if (idle.length > 0) await inParallel(idle, releaseIdle, AT_ONCE)
    else if (late?.aborted === true) return false
    else {
      for (const actor of actors) if (!drains(actor)) for (const turn of actor.inside ?? []) turn.stop?.()
      // an `await` since the look at the actors would miss an end in between
      await oneFree(actors, late === undefined ? signal : AbortSignal.any([signal, late]))
    }
  }
  return true
}

/** Resolves when one of these actors has ended its turn or was deactivated, or when the signal is aborted. */
async function oneFree(actors: readonly Actor[], signal: AbortSignal): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  const stop = (): void => resolve()
  signal.addEventListener('abort', stop, {once: true})
  for (const actor of actors) (actor.freed ??= new Set()).add(stop)
  await promise
  signal.removeEventListener('abort', stop)
  for (const actor of actors) actor.freed?.delete(stop)
}
