import {readFileSync} from 'node:fs'
import {uptime} from 'node:os'
import {orElse} from '../model/or-else.ts'
import {linkAt} from './listeners.ts'
import {namesInFolder} from './paths.ts'
import {isBrowser, processes, environmentValue} from './peer-process.ts'
import {startOf} from './process-table.ts'
import type {Ends} from './proc-net.ts'
import {inodeOfPeer} from './socket-diag.ts'

/** How long a pid is trusted, in ms: later it may belong to another process. */
const FORGET_MS = 10_000

/** Age in s up to which a process may still become the program that has the variable: until then it shows the environment of its parent. */
const YOUNG_S = 5
/** Units of `Seen.started` on Linux. */
const TICKS_PER_S = 100

/** A process that has the variable. */
interface Holder {
  readonly pid: number
  readonly value: string
  /** Descriptors that were looked at: a new connection usually has a new one. */
  readonly seen: Set<string>
}

/**
 * Reads a variable in the environment of the process at the other end of a connection. Looks first at processes known to have the
 * variable, and there at new descriptors.
 */
export class PeerVariable {
  readonly #name: string
  /** Known processes with the variable, the latest caller first, which is likely to call again. */
  #holders: Holder[] = []
  readonly #without = new Set<number>()
  /** Whether the last list had a young process without the variable, which may still get it. */
  #hasYoung = false
  /** Known sockets by their names in /proc. Numbers of open sockets are unique. */
  readonly #sockets = new Map<string, Holder>()
  /** The latest process at the time of the last list. */
  #latest = ''
  #forgetAt = 0

  constructor(name: string) {
    this.#name = name
  }

  /** Returns the variable of the peer; '': not set, not readable, or of a browser that an app has opened. */
  of(ends: Ends): string {
    const inode = inodeOfPeer(ends)
    const holder = inode === '' ? undefined : this.#holderOf(`socket:[${inode}]`)
    return holder === undefined || isBrowser(holder.pid) ? '' : holder.value
  }

  #holderOf(socket: string): Holder | undefined {
    this.#forget()
    const known = this.#sockets.get(socket)
    if (known !== undefined) return known
    const among = (isNew: boolean): Holder | undefined => this.#holders.find(each => this.#holds(each, socket, isNew))
    const holder = among(true) ?? (this.#list(), among(false))
    if (holder !== undefined) this.#holders = [holder, ...this.#holders.filter(each => each !== holder)]
    return holder
  }

  #forget(): void {
    const now = performance.now()
    if (now < this.#forgetAt) return
    this.#forgetAt = now + FORGET_MS
    const pids = this.#holders.map(({pid}) => pid)
    this.#holders = []
    this.#without.clear()
    this.#sockets.clear()
    this.#latest = ''
    for (const pid of pids) this.#add(pid)
  }

  /** Finds the processes that have begun since the last time, or may have become another program. */
  #list(): void {
    const latest = latestProcess()
    if (latest === this.#latest && !this.#hasYoung) return
    this.#latest = latest
    this.#hasYoung = false
    const known = new Set(this.#holders.map(({pid}) => pid))
    for (const pid of processes()) if (!known.has(pid) && !this.#without.has(pid)) this.#add(pid)
  }

  #add(pid: number): void {
    const value = environmentValue(pid, this.#name)
    if (value !== '') this.#holders.push({pid, value, seen: new Set()})
    else if (uptime() - startOf(pid) / TICKS_PER_S < YOUNG_S) this.#hasYoung = true
    else this.#without.add(pid)
  }

  /** Looks at the latest descriptor first, mostly the newest connection. `isNew`: only at unknown ones. */
  #holds(holder: Holder, socket: string, isNew: boolean): boolean {
    const {pid, seen} = holder
    const numbers = namesInFolder(`/proc/${pid}/fd`)
    for (let at = numbers.length - 1; at >= 0; at--) {
      const number = numbers[at] ?? ''
      if (isNew && seen.has(number)) continue
      seen.add(number)
      const link = linkAt(`/proc/${pid}/fd/${number}`)
      if (link.startsWith('socket:')) this.#sockets.set(link, holder)
      if (link === socket) return true
    }
    return false
  }
}

/** Returns the number of the latest process or thread (proc(5), /proc/loadavg). While it is unchanged, none has begun. */
const latestProcess = (): string =>
  // not Linux
  orElse(() => readFileSync('/proc/loadavg', 'latin1').split(' ').at(-1) ?? '', '')
