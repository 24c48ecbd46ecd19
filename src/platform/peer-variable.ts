import {readdirSync, readFileSync, readlinkSync} from 'node:fs'
import {isBrowser, processes} from './peer-process.ts'
import type {Ends} from './proc-net.ts'
import {inodeOfPeer} from './socket-diag.ts'

/** How many processes that have called are looked at first. */
const REMEMBERED = 8
/** After so long the number of a process may be that of another one. */
const FORGET_MS = 10_000

/**
 * Finds what a variable is set to in the environment of the process that holds the other end of a connection. Processes that were found lately are
 * looked at first: who has called calls again.
 */
export class PeerVariable {
  readonly #name: string
  readonly #latest: number[] = []
  /** Processes that have no such variable: whoever calls from outside is not looked for in their descriptors. */
  readonly #without = new Set<number>()
  #forgetAt = 0

  constructor(name: string) {
    this.#name = name
  }

  /** '' = the process has no such variable, is a browser that an app has opened, or cannot be seen. */
  of(ends: Ends): string {
    const inode = inodeOfPeer(ends)
    if (inode === '') return ''
    const wanted = `socket:[${inode}]`
    const pid =
      this.#latest.find(each => holds(each, wanted)) ??
      processes().find(each => !this.#latest.includes(each) && this.#has(each) && holds(each, wanted))
    if (pid === undefined) return ''
    this.#remember(pid)
    return isBrowser(pid) ? '' : valueOf(pid, this.#name)
  }

  #has(pid: number): boolean {
    const now = performance.now()
    if (now > this.#forgetAt) {
      this.#without.clear()
      this.#forgetAt = now + FORGET_MS
    }
    if (this.#without.has(pid)) return false
    if (valueOf(pid, this.#name) !== '') return true
    this.#without.add(pid)
    return false
  }

  #remember(pid: number): void {
    const at = this.#latest.indexOf(pid)
    if (at === 0) return
    if (at > 0) this.#latest.splice(at, 1)
    this.#latest.unshift(pid)
    if (this.#latest.length > REMEMBERED) this.#latest.pop()
  }
}

/** The latest descriptor first: that is mostly the newest connection. */
function holds(pid: number, wanted: string): boolean {
  let numbers: readonly string[]
  try {
    numbers = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return false // it has exited, or belongs to another user
  }
  for (let at = numbers.length - 1; at >= 0; at--) {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${numbers[at] ?? ''}`) === wanted) return true
    } catch {
      // closed meanwhile
    }
  }
  return false
}

function valueOf(pid: number, name: string): string {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`
    const at = environment.indexOf(`\0${name}=`)
    if (at < 0) return ''
    const from = at + name.length + 2
    return environment.slice(from, environment.indexOf('\0', from))
  } catch {
    return '' // it has exited
  }
}
