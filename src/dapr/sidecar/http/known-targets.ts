import {findPlainTarget, type Target} from './target.ts'

/** An app calls few others again and again. */
const COUNT = 8

interface Known {
  readonly path: string
  readonly query: string
  readonly givenId: string
  readonly target: Target
}

/**
 * The targets that one sidecar's callers named last. Its texts are the same ones each time, so that whatever looks them up
 * later has their hashes already.
 */
export class KnownTargets {
  readonly #known: Known[] = []
  #next = 0

  /** As `findPlainTarget`. */
  find(path: string, query: string, givenId: string): Target | undefined {
    for (const known of this.#known)
      if (known.path === path && known.query === query && known.givenId === givenId) return known.target
    const target = findPlainTarget(path, query, givenId)
    if (target === undefined) return undefined
    this.#known[this.#next] = {path, query, givenId, target}
    this.#next = (this.#next + 1) % COUNT
    return target
  }
}
