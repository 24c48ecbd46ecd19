import {collectGarbage} from '../../../platform/heap.ts'
import {outOfMemory} from './errors.ts'

/** The memory of an argument besides its bytes. */
export const ARGUMENT_BYTES = 32

/** Commands by which keys may grow (Redis marks them `denyoom`). */
const GROWING = new Set(
  `append copy decr decrby getset hincrby hincrbyfloat hmset hset hsetnx incr incrby incrbyfloat linsert lpush lpushx
  lset mset msetnx psetex rpush rpushx sadd sdiffstore set setex setnx setrange sinterstore sunionstore xadd zadd zincrby`.split(
    /\s+/
  )
)
/** A command's name, and its own rule about growth, if it has one. */
interface Growing {
  readonly name: string
  readonly grows?: (args: readonly string[]) => boolean
}

/** Number of allocated bytes between two checks of the memory. */
const LOOK_BYTES = 8 * 1024 * 1024
/** Part of V8's heap that may be in use. The rest is for calls, and for a running command. */
const FULL = 0.6
/** Size of the young generation, whose content is short-lived (Node 26). */
const YOUNG_BYTES = 96 * 1024 * 1024
/** Minimum time between two collections, in ms: each stops everything. */
const COLLECT_MS = 5000

/**
 * Refuses commands that need memory before V8's heap is full: a full heap would end the run, with all its apps. Redis refuses them at `maxmemory`; our limit is Node's (`--max-old-space-size`).
 */
export class MemoryLimit {
  #isFull = false
  /** Allocated bytes since the last look. */
  #taken = 0
  /** Whether memory may have become free since the last garbage collection. */
  #wasFreed = true
  #collectedAt = -Infinity

  /** Whether to refuse a command for lack of memory. Call it before each command. `args`: name first. */
  refuses({name, grows}: Growing, args: readonly string[]): boolean {
    if (!(grows?.(args) ?? GROWING.has(name))) {
      this.#wasFreed = true
      return false
    }
    for (const arg of args) this.#taken += arg.length + ARGUMENT_BYTES
    if (this.#isFull || this.#taken > LOOK_BYTES) this.#look(0)
    return this.#isFull
  }

  /** Counts bytes that a command needs beyond its arguments. Throws if there is no room for them. */
  take(bytes: number): void {
    this.#taken += bytes
    if (this.#isFull || this.#taken > LOOK_BYTES) this.#look(bytes)
    if (this.#isFull) throw outOfMemory()
  }

  #look(more: number): void {
    this.#taken = 0
    this.#isFull = isFullWith(more)
    const now = performance.now()
    if (!this.#isFull || !this.#wasFreed || now - this.#collectedAt < COLLECT_MS) return
    this.#collectedAt = now
    this.#wasFreed = false
    collectGarbage() // garbage counts as used until then
    this.#isFull = isFullWith(more)
  }
}

function isFullWith(more: number): boolean {
  // node:v8 is loaded when it is used
  const {used_heap_size: used, heap_size_limit: limit} = process.getBuiltinModule('node:v8').getHeapStatistics()
  return used + more > FULL * (limit - YOUNG_BYTES)
}
