import {inParallel} from '../../platform/in-parallel.ts'
import type {Actor} from './actor.ts'

/** Maximum number of deactivations at a time. */
const AT_ONCE = 32

interface LetGoOptions {
  /** Returns the actors that are still active. */
  readonly all: () => readonly Actor[]
  readonly deactivate: (actor: Actor) => Promise<void>
  /** Whether running calls may end; otherwise they are cancelled. */
  readonly drains: (actor: Actor) => boolean
  /** Ends the wait at once. */
  readonly signal: AbortSignal
  /** Ends only the wait for running calls. */
  readonly late?: AbortSignal | undefined
}

/** Deactivates all actors of a process, each after its turn. Resolves with false if `signal` or `late` is aborted first. */
export async function letGo({all, deactivate, drains, signal, late}: LetGoOptions): Promise<boolean> {
  for (let actors = all(); actors.length > 0; actors = all()) {
    if (signal.aborted) return false
    const idle = actors.filter(({inside, isLeaving}) => inside === undefined && !isLeaving)
    const deactivateIdle = async (actor: Actor): Promise<void> => {
      if (!signal.aborted && actor.inside === undefined && !actor.isLeaving) await deactivate(actor)
    }
    if (idle.length > 0) await inParallel(idle, deactivateIdle, AT_ONCE)
    else if (late?.aborted === true) return false
    else {
      for (const actor of actors) if (!drains(actor)) for (const turn of actor.inside ?? []) turn.stop?.()
      // no `await` may be between `all()` and this: a turn that ends meanwhile would go unnoticed
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
