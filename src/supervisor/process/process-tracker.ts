import {codeOf} from '../../model/errors.ts'
import {signalGroup, type ProcessGroup} from './process-group.ts'
import {look, lookAgain, ownAncestry} from '../../platform/process-table.ts'
import type {Look, Seen} from '../../platform/process-info.ts'

/** A process that was ended although it had left its app's group, or its app had long ended. */
export interface Orphan {
  readonly pid: number
  readonly command: string
}

export interface ProcessTrackerOptions {
  /** The group, with what it takes to know it again; undefined: only marks are looked for. */
  readonly group?: Pick<ProcessGroup, 'pid' | 'started' | 'hasExited' | 'signal'> | undefined
  /** `NAME=value` that all that belongs here carries in its environment. */
  readonly marker: string
  /** Also what carries the mark and is not in the group. */
  readonly endsOrphans: boolean
  /** Exchanges of one of these marks are left alone. */
  readonly spared?: readonly string[]
  /** Told of each process that is signalled outside the group, once. */
  readonly ended: (orphan: Orphan) => void
}

/** What is left of a life, or of a run: found by group and by mark, signalled with care. */
export class ProcessTracker {
  readonly #options: ProcessTrackerOptions
  /** Start times of what was seen, by pid: a group with one of its apps in it is still ours. */
  readonly #known = new Map<number, number>()
  readonly #reported = new Set<string>()
  #hasMembers = false
  #orphans: readonly Seen[] = []
  #wasSeenAfterExit = false

  constructor(options: ProcessTrackerOptions) {
    this.#options = options
  }

  /** Looks once; whether anything is left. Zombies do not count. */
  async look(): Promise<boolean> {
    const now = await look()
    const runtimes = this.#runtimesIn(now)
    this.#hasMembers = runtimes.length > 0
    this.#orphans = this.#orphansIn(now, new Set(runtimes))
    for (const {pid, started} of [...runtimes, ...this.#orphans]) this.#known.set(pid, started)
    return runtimes.length + this.#orphans.length > 0
  }

  /** Signals the group: surely ours while its leader was not reaped, else only if the last look saw one of its apps. */
  signalGroup(name: NodeJS.Signals): void {
    const {group} = this.#options
    if (group?.pid === undefined) return
    if (!group.hasExited()) group.signal(name)
    else if (this.#hasMembers) signalGroup(group.pid, name)
  }

  /** Signals what the last look saw outside the group, but for those who have had this signal. */
  async signalOrphans(name: NodeJS.Signals): Promise<void> {
    await Promise.all(this.#orphans.map(async orphan => this.#signalOrphan(orphan, name)))
  }

  #runtimesIn(now: Look): readonly Seen[] {
    const {group, marker} = this.#options
    if (group?.pid === undefined) return []
    const isReaped = group.hasExited()
    const isFirst = isReaped && !this.#wasSeenAfterExit
    this.#wasSeenAfterExit = isReaped
    return runtimesIn(now, {number: group.pid, started: group.started, marker, known: this.#known, isReaped, isFirst})
  }

  #orphansIn(now: Look, runtimes: ReadonlySet<Seen>): readonly Seen[] {
    const {group, marker, endsOrphans, spared = []} = this.#options
    if (!endsOrphans) return []
    const us = ownAncestry(now)
    const since = group?.started ?? 0
    return now.all.filter(
      seen =>
        !seen.isZombie &&
        seen.started >= since && // older than the leader: not its offspring, and its environment need not be read
        !runtimes.has(seen) &&
        !us.has(seen.pid) &&
        (now.carries(seen.pid, marker) || (now.isBare(seen.pid) && this.#known.get(seen.pid) === seen.started)) &&
        !spared.some(other => now.carries(seen.pid, other))
    )
  }

  /** A number alone is nobody: owner, start and mark are read once more, right before the signal. */
  async #signalOrphan({pid, started}: Seen, name: NodeJS.Signals): Promise<void> {
    const {marker, ended} = this.#options
    const key = `${pid.toString()} ${started.toString()}`
    if (this.#reported.has(`${key} ${name}`)) return
    const now = await lookAgain(pid)
    if (now?.started !== started || !now.carries(marker) || !isWithinReach(now.uid)) return
    this.#reported.add(`${key} ${name}`)
    if (!this.#reported.has(key)) ended({pid, command: now.command})
    this.#reported.add(key)
    try {
      process.kill(pid, name)
    } catch (error) {
      if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error // gone meanwhile, or guarded
    }
  }
}

export interface Membership {
  /** Of the group, and of its leader. */
  readonly number: number
  /** When the leader started. */
  readonly started: number
  readonly marker: string
  /** Start times of apps that were seen earlier, by pid. */
  readonly known: ReadonlyMap<number, number>
  /** The leader has been reaped: when the last app is gone the number may be given to anybody. */
  readonly isReaped: boolean
  /** This look follows that at once. */
  readonly isFirst: boolean
}

/** The living apps of a group, none when it is not surely the same group any more. */
export function runtimesIn({all, carries}: Look, membership: Membership): readonly Seen[] {
  const {number, marker, known, isReaped, isFirst} = membership
  const inGroup = all.filter(seen => seen.group === number)
  const runtimes = inGroup.filter(seen => !seen.isZombie)
  const isSame =
    !isReaped ||
    runtimes.some(({pid, started}) => known.get(pid) === started || carries(pid, marker)) ||
    (isFirst && inGroup.every(seen => wasForkedBy(membership, seen)))
  return isSame ? runtimes : []
}

/**
 * A leader makes a session of its number, and its children are known by that when it has just ended, unless the number
 * processes as a process with another start, that is, has been given out anew.
 */
const wasForkedBy = (leader: Membership, {pid, session, started}: Seen): boolean =>
  pid === leader.number ? started === leader.started : session === leader.number && started >= leader.started

const isWithinReach = (uid: number): boolean => {
  const own = process.getuid?.()
  return own === 0 || own === uid
}
