import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {dirname} from 'node:path'
import type {Admit} from '../../../src/proxy/gateway/admission.ts'
import type {Exit} from '../../../src/model/app-state.ts'
import type {PublishedContext} from '../../../src/proxy/published/published-port-call.ts'
import type {Clock} from '../../../src/platform/clock.ts'

/** A file that watchers see; without text: a folder. */
export interface File {
  readonly text: string | undefined
  readonly ino: number
  readonly mtimeMs: number
}

export interface Process {
  readonly pid: number
  readonly id: string
  readonly life: string
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly bornAt: number
  readonly exited: Promise<Exit>
  readonly exit: (exit: Exit) => void
  endedAt: number | undefined
  /** What it read of `version.txt`; undefined: it has not come so far. */
  text: string | undefined
  /** The port where it listens, 0 = none. */
  listens: number
}

interface Timer {
  readonly at: number
  readonly fire: () => void
}

/** Whoever is told of files: path, the file as it is or was, and what became of it. */
export type FileListener = (path: string, file: File, came: 'add' | 'addDir' | 'change' | 'unlink') => void

/** ms since 1970 when a simulated day begins. */
const DAY_BEGINS = Date.UTC(2026, 0, 1)

/**
 * An invented machine: its time passes only when it is told to, its processes, ports and file events are made up, and how long
 * each thing takes comes from a seed. What a run does on it is the same for the same seed.
 */
export class Machine {
  readonly clock: Clock = {
    now: () => this.#now,
    date: () => DAY_BEGINS + this.#jumped + this.#now,
    after: (ms, fire) => {
      const timer = {at: this.#now + Math.max(0, ms), fire}
      this.#timers.push(timer)
      return () => {
        const index = this.#timers.indexOf(timer)
        if (index >= 0) this.#timers.splice(index, 1)
      }
    }
  }
  readonly files = new Map<string, File>()
  readonly folders = new Set<string>()
  readonly fileListeners = new Set<FileListener>()
  readonly processes: Process[] = []
  /** Ids of the sidecars that are open, by their HTTP ports, with the way of their calls. */
  readonly sidecars = new Map<number, {readonly id: string; readonly name: string; readonly admit: Admit}>()
  /** The numbers at which apps are called, with the way of the calls there once they are served. */
  readonly bound = new Map<number, (() => PublishedContext) | undefined>()
  /** Ids of all processes that have begun, in order. */
  begun: string[] = []
  #now = 0
  /** By how much the date has jumped. */
  #jumped = 0
  #timers: Timer[] = []
  readonly #seed: number
  #random: number
  #numbers = 1000
  readonly #outside = new Set<Promise<unknown>>()

  constructor(seed: number) {
    this.#seed = seed | 0
    this.#random = this.#seed
  }

  /** A number from 0 on that is never given again. */
  next(): number {
    return ++this.#numbers
  }

  /** From here on chance depends on this number and the seed alone: a step takes as long wherever it stands in a walk. */
  reseed(number: number): void {
    this.#random = (this.#seed ^ Math.imul(number + 1, 0x9e3779b1)) | 0
  }

  /** The date jumps, forwards or back, as when somebody sets it or a laptop wakes up. */
  jump(ms: number): void {
    this.#jumped += ms
  }

  /** A number from 0 to below 1 (mulberry32, by Tommy Ettinger). */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0
    let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random)
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** Takes up to so many milliseconds. */
  async takes(maxMs: number): Promise<void> {
    const ms = this.random() * maxMs
    return new Promise(resolve => this.clock.after(ms, resolve))
  }

  /** Work that takes real time, such as reading the template: time stands still until it is done. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#outside.add(work)
    try {
      return await work
    } finally {
      this.#outside.delete(work)
    }
  }

  /** All that follows from what has happened, without any time passing. */
  async #turns(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise(setImmediate)
      for (; this.#outside.size > 0; i = 0) await Promise.allSettled(this.#outside)
    }
  }

  /** How many things are still to happen by themselves. */
  get timers(): number {
    return this.#timers.length
  }

  /** Lets time pass; whatever becomes due happens in order, and all that follows from it at once. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.#turns()
    for (;;) {
      let due: Timer | undefined
      for (const timer of this.#timers) if (due === undefined || timer.at < due.at) due = timer
      if (due === undefined || due.at > end) break
      this.#timers.splice(this.#timers.indexOf(due), 1)
      this.#now = Math.max(this.#now, due.at)
      due.fire()
      await this.#turns()
    }
    this.#now = end
  }

  /** Saves a file; those who listen hear of it a little later. */
  write(path: string, text: string, {isSeen = true}: {readonly isSeen?: boolean} = {}): void {
    if (isSeen) {
      mkdirSync(dirname(path), {recursive: true})
      writeFileSync(path, text)
    }
    const folder = dirname(path)
    if (isSeen && !this.folders.has(folder)) {
      this.folders.add(folder)
      const file = {text: undefined, ino: this.next(), mtimeMs: this.clock.date()}
      for (const listener of this.fileListeners) listener(folder, file, 'addDir')
    }
    const isNew = !this.files.has(path)
    const file = {text, ino: this.next(), mtimeMs: this.clock.date()}
    this.files.set(path, file)
    for (const listener of this.fileListeners) listener(path, file, isNew ? 'add' : 'change')
  }

  /** Removes a file; those who listen hear of it a little later. */
  remove(path: string): void {
    const file = this.files.get(path)
    if (file === undefined) return
    rmSync(path, {force: true})
    this.files.delete(path)
    for (const listener of this.fileListeners) listener(path, file, 'unlink')
  }

  spawn({env, folder, kind}: {readonly env: Process['env']; readonly folder: string; readonly kind: string}): Process {
    const {promise, resolve} = Promise.withResolvers<Exit>()
    const process: Process = {
      pid: this.next(),
      id: env['APP_ID'] ?? '',
      life: env['PILLION_LIFE'] ?? '',
      env,
      folder,
      bornAt: this.#now,
      exited: promise,
      endedAt: undefined,
      text: undefined,
      listens: 0,
      exit: exit => {
        if (process.endedAt !== undefined) return
        process.endedAt = this.#now
        process.listens = 0
        this.clock.after(this.random() * 3, () => resolve(exit))
      }
    }
    this.processes.push(process)
    void this.#boot(process, kind)
    return process
  }

  get living(): readonly Process[] {
    return this.processes.filter(({endedAt}) => endedAt === undefined)
  }

  async #boot(process: Process, kind: string): Promise<void> {
    await this.takes(30)
    if (process.endedAt !== undefined) return
    process.text = this.files.get(`${process.folder}/version.txt`)?.text
    this.begun.push(process.id)
    await this.takes(150)
    if (process.endedAt !== undefined) return
    if (process.text?.startsWith('bad') === true) return process.exit({kind: 'code', code: 3})
    if (kind === 'one-shot') process.exit({kind: 'code', code: 0})
    if (kind === 'server') process.listens = Number(process.env['APP_PORT'])
  }
}

/** The machine on which the replaced modules run (`replaced.ts`). */
export const current: {machine: Machine} = {machine: new Machine(0)}
