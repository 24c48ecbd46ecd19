/** How V8 keeps the memory of a long run small. Its flags are set here only, and not at the start: V8 rejects its code cache if they differ. */
import {runInNewContext} from 'node:vm'
import {orElse} from '../model/or-else.ts'
import {loadFfi} from './experimental.ts'
import {dropProgramPages, residentMemory, type ResidentMemory} from './program-pages.ts'

/** Interval between two checks whether a run is idle, in ms. */
const LOOK_MS = 3000
/** Delay of the first check after a start, in ms: by then its apps have connected. */
const FIRST_LOOK_MS = 500
/** Maximum part of one processor that an idle run uses. */
const IDLE = 0.05
/** Maximum part of one processor that counts as a light load: polls of a page, a health check, a waiting script. */
const LIGHT = 0.2
/** Minimum time between collections under a light load, in ms: their pause affects calls, so they must also free twice as much. */
const LIGHT_EVERY_MS = 60_000
/**
 * Minimum growth since the last collection to justify another, in bytes: it costs 30 ms with ten apps, 130 ms with two hundred, and drops
 * compiled code, so that the next calls are slower. Calls alone change memory by less.
 */
const WORTH_BYTES = 16 * 1024 * 1024
/** Number of bytes of large bodies after which garbage is collected. */
const BODIES_BYTES = 4_000_000

/**
 * Sets how V8 collects its young generation during a run. By default it grows by a factor of 2 and never shrinks under load: to 30 MB
 * while hundreds of apps start, and to half the memory of a long run. With factor 1 it keeps its size, and calls are as fast. Only the
 * main thread collects it, in 0.1 ms: helper threads would wait up to 50 ms for a core while apps keep all cores busy.
 */
export function tuneForRun(): void {
  young = 1
  setYoung(young)
  setFlag('--no-parallel-scavenge')
}

/** V8's defaults, with which its code cache is written. */
export function restoreDefaults(): void {
  young = 2
  setYoung(young)
  setFlag('--parallel-scavenge')
}

let young: 1 | 2 = 2

const setYoung = (factor: 1 | 2): void => setFlag(`--semi-space-growth-factor=${factor}`)

/** Keeps the young generation small while `work` runs. Otherwise memory would grow by 50 MB, since its allocations stay. */
export async function keepingYoung<T>(work: () => Promise<T>): Promise<T> {
  setYoung(1)
  try {
    return await work()
  } finally {
    setYoung(young)
  }
}

/**
 * Releases the memory of a start or a flood, which V8 would keep: at once in a calm run, within a minute under a light load. Does nothing
 * in a busy run, or without growth.
 */
export function giveBackWhenCalm(): void {
  let before = performance.eventLoopUtilization()
  const memory = new KeptMemory(performance.now())
  const look = (isFirst: boolean): void => {
    const now = performance.eventLoopUtilization()
    const {utilization} = performance.eventLoopUtilization(now, before)
    before = now
    const work = memory.workFor(utilization, residentMemory(), performance.now())
    // a collection at this time would drop the code that the first calls need
    const does = isFirst && work === 'collect' ? 'drop' : work
    if (does === 'none') return
    if (does === 'collect') collectGarbage('last-resort')
    trimArenas()
    dropProgramPages()
    memory.done(does, residentMemory(), performance.now())
  }
  setTimeout(() => look(true), FIRST_LOOK_MS).unref()
  setInterval(() => look(false), LOOK_MS).unref()
}

/** Memory to release. `drop`: pages of Node's program, and malloc's reserves. `collect`: also garbage. */
export type GiveBack = 'none' | 'drop' | 'collect'

/** Remembers the memory after the last collection, and decides when the next one is worth its pause. Times in ms, sizes in bytes. */
export class KeptMemory {
  #kept: ResidentMemory = {own: 0, ofFiles: 0}
  #at: number

  constructor(now: number) {
    this.#at = now
  }

  /** `utilization`: the part of one processor that was used since the last look, 0–1. */
  workFor(utilization: number, {own, ofFiles}: ResidentMemory, now: number): GiveBack {
    // memory released since the last collection is no allowance for garbage
    this.#kept = {...this.#kept, own: Math.min(own, this.#kept.own)}
    const grown = own - this.#kept.own
    if (utilization <= IDLE && grown >= WORTH_BYTES) return 'collect'
    if (utilization <= LIGHT && grown >= 2 * WORTH_BYTES && now - this.#at >= LIGHT_EVERY_MS) return 'collect'
    return utilization <= IDLE && ofFiles - this.#kept.ofFiles >= WORTH_BYTES ? 'drop' : 'none'
  }

  done(work: GiveBack, left: ResidentMemory, now: number): void {
    if (work === 'collect') {
      this.#kept = left
      this.#at = now
    } else this.#kept = {...this.#kept, ofFiles: left.ofFiles}
  }
}

/** Bytes of large bodies that have been used since the last collection. */
let used = 0

/**
 * Counts the bytes of a large body, which leaves six times as much outside V8's heap. V8 would let over 100 MB accumulate; a collection
 * takes 15 ms, a tenth of the time of these bodies.
 */
export function collectAfter(bytes: number): void {
  used += bytes
  if (used < BODIES_BYTES) return
  used = 0
  collectGarbage()
}

/** Bytes of pieces since the last look, and bytes outside V8's heap after a collection. */
let usedPieces = 0
let leftOutside = Infinity
/** Bytes between two looks at the memory; maximum outside V8's heap; and maximum of old memory there. */
const PIECES_BYTES = 1_000_000
const OUTSIDE_BYTES = 6_000_000
const OLD_BYTES = 2 * OUTSIDE_BYTES

/**
 * Counts the bytes of a stream, whose pieces live for a moment. V8 hardly counts them, and would let 64 MB accumulate. Collects the young
 * generation, where most are, and everything if too much is left.
 */
export function collectPieces(bytes: number): void {
  usedPieces += bytes
  if (usedPieces < PIECES_BYTES) return
  usedPieces = 0
  const before = bytesOutside()
  leftOutside = Math.min(leftOutside, before)
  if (before - leftOutside < OUTSIDE_BYTES) return
  collectGarbage('young')
  const left = bytesOutside()
  if (left - leftOutside < OLD_BYTES) return
  collectGarbage()
  leftOutside = bytesOutside()
}

const bytesOutside = (): number => process.getBuiltinModule('node:v8').getHeapStatistics().external_memory

/** Collects garbage now: all, or only the young generation. `last-resort` also returns V8's pool of free pages to the system. */
export function collectGarbage(what: 'all' | 'young' | 'last-resort' = 'all'): void {
  let collect = gc?.deref()
  if (collect === undefined) gc = new WeakRef((collect = exposedGc()))
  collect({
    type: what === 'young' ? 'minor' : 'major',
    execution: 'sync',
    flavor: what === 'last-resort' ? 'last-resort' : 'regular'
  })
}

/** Held weakly: its context takes half a megabyte, which the next collection frees. */
let gc: WeakRef<NodeJS.GCFunction> | undefined

function exposedGc(): NodeJS.GCFunction {
  setFlag('--expose-gc')
  const exposed = runInNewContext('gc') as NodeJS.GCFunction
  setFlag('--no-expose-gc')
  return exposed
}

/**
 * Releases unused memory of malloc's arenas (malloc_trim(3)): V8's compiler threads leave 10–20 MB there, in fragments. False if Node
 * cannot call the C library, or it is not glibc.
 */
export function trimArenas(): boolean {
  mallocTrim ??= findMallocTrim() ?? 'none'
  if (mallocTrim === 'none') return false
  mallocTrim(0n)
  return true
}

/** Function of the C library. Undefined before the first search. */
let mallocTrim: MallocTrim | 'none' | undefined

type MallocTrim = (pad: bigint) => unknown

const findMallocTrim = (): MallocTrim | undefined =>
  orElse(
    () => loadFfi()?.dlopen('libc.so.6', {malloc_trim: {arguments: ['u64'], return: 'i32'}}).functions['malloc_trim'],
    undefined
  )

// loads node:v8 on demand: it would cost a start two milliseconds
const setFlag = (flag: string): void => process.getBuiltinModule('node:v8').setFlagsFromString(flag)
