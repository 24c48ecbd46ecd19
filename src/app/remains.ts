import {codeOf} from '../errors.ts'
import {signalGroup, type Group} from './group.ts'
import {look, lookAgain, ourLine} from '../processes/look.ts'
import type {Look, Seen} from '../processes/seen.ts'

/** A process that was ended although it had left its app's group, or its app had long ended. */
export interface Stray {
  readonly pid: number
  readonly command: string
}

export interface RemainsOptions {
  /** The group, with what it takes to know it again; undefined: only marks are looked for. */
  readonly group?: Pick<Group, 'pid' | 'started' | 'hasExited' | 'signal'> | undefined
  /** `NAME=value` that all that belongs here carries in its environment. */
  readonly mark: string
  /** Also what carries the mark and is not in the group. */
  readonly endsStrays: boolean
  /** Carriers of one of these marks are left alone. */
  readonly spared?: readonly string[]
  /** Told of each process that is signalled outside the group, once. */
  readonly ended: (stray: Stray) => void
}

/** What is left of a life, or of a run: found by group and by mark, signalled with care. */
export class Remains {
  readonly #options: RemainsOptions
  /** Start times of what was seen, by pid: a group with one of its members in it is still ours. */
  readonly #known = new Map<number, number>()
  readonly #reported = new Set<string>()
  #hasMembers = false
  #strays: readonly Seen[] = []
  #wasSeenAfterExit = false

  constructor(options: RemainsOptions) {
    this.#options = options
  }

  /** Looks once; whether anything is left. Zombies do not count. */
  async look(): Promise<boolean> {
    const now = await look()
    const members = this.#membersIn(now)
    this.#hasMembers = members.length > 0
    this.#strays = this.#straysIn(now, new Set(members))
    for (const {pid, started} of [...members, ...this.#strays]) this.#known.set(pid, started)
    return members.length + this.#strays.length > 0
  }

  /** Signals the group: surely ours while its leader was not reaped, else only if the last look saw one of its members. */
  signalGroup(name: NodeJS.Signals): void {
    const {group} = this.#options
    if (group?.pid === undefined) return
    if (!group.hasExited()) group.signal(name)
    else if (this.#hasMembers) signalGroup(group.pid, name)
  }

  /** Signals what the last look saw outside the group, but for those who have had this signal. */
  async signalStrays(name: NodeJS.Signals): Promise<void> {
    await Promise.all(this.#strays.map(async stray => this.#signalStray(stray, name)))
  }

  #membersIn(now: Look): readonly Seen[] {
    const {group, mark} = this.#options
    if (group?.pid === undefined) return []
    const isReaped = group.hasExited()
    const isFirst = isReaped && !this.#wasSeenAfterExit
    this.#wasSeenAfterExit = isReaped
    return membersIn(now, {number: group.pid, started: group.started, mark, known: this.#known, isReaped, isFirst})
  }

  #straysIn(now: Look, members: ReadonlySet<Seen>): readonly Seen[] {
    const {group, mark, endsStrays, spared = []} = this.#options
    if (!endsStrays) return []
    const us = ourLine(now)
    const since = group?.started ?? 0
    return now.all.filter(
      seen =>
        !seen.isZombie &&
        seen.started >= since && // older than the leader: not its offspring, and its environment need not be read
        !members.has(seen) &&
        !us.has(seen.pid) &&
        (now.carries(seen.pid, mark) || (now.isBare(seen.pid) && this.#known.get(seen.pid) === seen.started)) &&
        !spared.some(other => now.carries(seen.pid, other))
    )
  }

  /** A number alone is nobody: owner, start and mark are read once more, right before the signal. */
  async #signalStray({pid, started}: Seen, name: NodeJS.Signals): Promise<void> {
    const {mark, ended} = this.#options
    const key = `${pid.toString()} ${started.toString()}`
    if (this.#reported.has(`${key} ${name}`)) return
    const now = await lookAgain(pid)
    if (now?.started !== started || !now.carries(mark) || !isWithinReach(now.uid)) return
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
  readonly mark: string
  /** Start times of members that were seen earlier, by pid. */
  readonly known: ReadonlyMap<number, number>
  /** The leader has been reaped: when the last member is gone the number may be given to anybody. */
  readonly isReaped: boolean
  /** This look follows that at once. */
  readonly isFirst: boolean
}

/** The living members of a group, none when it is not surely the same group any more. */
export function membersIn({all, carries}: Look, membership: Membership): readonly Seen[] {
  const {number, mark, known, isReaped, isFirst} = membership
  const inGroup = all.filter(seen => seen.group === number)
  const members = inGroup.filter(seen => !seen.isZombie)
  const isSame =
    !isReaped ||
    members.some(({pid, started}) => known.get(pid) === started || carries(pid, mark)) ||
    (isFirst && inGroup.every(seen => wasForkedBy(membership, seen)))
  return isSame ? members : []
}

/**
 * A leader makes a session of its number, and its children are known by that when it has just ended, unless the number
 * lives as a process with another start, that is, has been given out anew.
 */
const wasForkedBy = (leader: Membership, {pid, session, started}: Seen): boolean =>
  pid === leader.number ? started === leader.started : session === leader.number && started >= leader.started

const isWithinReach = (uid: number): boolean => {
  const own = process.getuid?.()
  return own === 0 || own === uid
}
