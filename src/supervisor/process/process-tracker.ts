import {sendSignal, signalGroup, type ProcessGroup} from '../../platform/process-group.ts'
import {
  descendantsIn,
  hidesEnvironments,
  isNotBefore,
  isSameStart,
  look,
  lookAgain,
  ownAncestry
} from '../../platform/process-table.ts'
import {isEditor, isUsersProgram, outlivesItsApp} from '../../platform/shared-programs.ts'
import type {Particulars, ProcessSnapshot, Seen} from '../../platform/process-info.ts'

/** A process that we ended after it had left its app's process group, or after its app had exited. */
export interface Orphan {
  readonly pid: number
  readonly command: string
}

export interface ProcessTrackerOptions {
  /** The group and its identity; undefined if only the marker counts. */
  readonly group?: Pick<ProcessGroup, 'pid' | 'started' | 'hasExited' | 'signal'> | undefined
  /** `NAME=value` in the environment of all processes that belong here. */
  readonly marker: string
  /** Also end processes that have the marker and are not in the group. */
  readonly endsOrphans: boolean
  /** Markers of processes that are left alone. */
  readonly spared?: readonly string[]
  /** Called once for each process outside the group that is signalled. */
  readonly ended: (orphan: Orphan) => void
}

/** Finds the processes of an app process or a run by group and by marker, and signals no others. */
export class ProcessTracker {
  readonly #options: ProcessTrackerOptions
  /** Start times of known processes by pid. A group with one of them is still ours. */
  readonly #known = new Map<number, number>()
  /** Processes below the group (`PID START`), seen while their parents lived: macOS hides the environment of some. */
  readonly #below = new Set<string>()
  readonly #reported = new Set<string>()
  /** Processes that got a signal, `PID START SIGNAL`. */
  readonly #signalled = new Set<string>()
  /** Activity of descendants just before a process that handles signals got one, by `PID START`. */
  readonly #before = new Map<string, string>()
  #members: readonly Seen[] = []
  #orphans: readonly Seen[] = []
  #wasSeenAfterExit = false

  constructor(options: ProcessTrackerOptions) {
    this.#options = options
  }

  /** Reads the process table. Returns whether any process may be left, apart from zombies. Without free descriptors no process is visible, which counts as left. */
  async look(): Promise<boolean> {
    const now = await look()
    const members = (this.#members = this.#membersIn(now))
    this.#orphans = await this.#withoutShared(this.#orphansIn(now, new Set(members)), now)
    for (const {pid, started} of [...members, ...this.#orphans]) this.#known.set(pid, started)
    return members.length + this.#orphans.length > 0 || now.all.length === 0
  }

  /** Signals the leader, also while no process can be seen. */
  async signalLeader(name: NodeJS.Signals): Promise<void> {
    const {group} = this.#options
    if (group?.pid === undefined || group.hasExited()) return
    await this.#noteBefore(group.pid, await lookAgain(group.pid), name)
    group.signal(name, 'leader')
  }

  /**
   * Signals the processes that the last look found, each only once with the same signal, but for the leader. `top`: only those whose
   * parent and leader have exited, and cannot have passed the signal on.
   */
  async signal(name: NodeJS.Signals, to: 'top' | 'all'): Promise<void> {
    const found = this.#found
    const living = new Set(found.map(({pid}) => pid))
    const leader = this.#options.group
    const mayGetIt = ({pid, parent, group}: Seen): boolean =>
      leader?.hasExited() === false || living.has(parent) || (group !== pid && living.has(group))
    const asked = found.filter(seen => seen.pid !== leader?.pid && (to === 'all' || !mayGetIt(seen)))
    await Promise.all(
      asked.map(async seen => {
        if (to === 'all' || !(await this.#hasRun(seen))) await this.#signalOne(seen, name)
      })
    )
  }

  /** Kills the group, if its leader is not reaped or it had members at the last look, and the processes outside it. */
  async kill(): Promise<void> {
    const {group} = this.#options
    if (group?.hasExited() === false) group.signal('SIGKILL', 'group')
    else if (group?.pid !== undefined && this.#members.length > 0) signalGroup(group.pid, 'SIGKILL')
    await Promise.all(this.#orphans.map(async orphan => this.#signalOne(orphan, 'SIGKILL')))
  }

  get #found(): readonly Seen[] {
    return [...this.#members, ...this.#orphans]
  }

  /** Notes the activity of processes below one that handles the signal it is about to get. */
  async #noteBefore(pid: number, now: Particulars | undefined, name: NodeJS.Signals): Promise<void> {
    if (now?.catches(name) !== true) return
    for (const seen of descendantsIn(this.#found, [pid]))
      this.#before.set(keyOf(seen), (await lookAgain(seen.pid))?.activity ?? '')
  }

  /** Whether a process has run since one above it got the signal. An idle one cannot have received it. */
  async #hasRun(seen: Seen): Promise<boolean> {
    const before = this.#before.get(keyOf(seen))
    return before !== undefined && (await lookAgain(seen.pid))?.activity !== before
  }

  #membersIn(now: ProcessSnapshot): readonly Seen[] {
    const {group, marker} = this.#options
    if (group?.pid === undefined) return []
    const isReaped = group.hasExited()
    const isFirst = isReaped && !this.#wasSeenAfterExit
    this.#wasSeenAfterExit = isReaped
    return membersIn(now, {number: group.pid, started: group.started, marker, known: this.#known, isReaped, isFirst})
  }

  #orphansIn(now: ProcessSnapshot, members: ReadonlySet<Seen>): readonly Seen[] {
    const {group, marker, endsOrphans, spared = []} = this.#options
    if (!endsOrphans) return []
    const us = ownAncestry(now)
    const since = group?.started ?? 0
    if (hidesEnvironments) this.#noteBelow(now, members)
    const isOurs = (seen: Seen): boolean =>
      now.carries(seen.pid, marker) ||
      this.#below.has(keyOf(seen)) ||
      (now.isBare(seen.pid) && this.#known.get(seen.pid) === seen.started)
    return now.all.filter(
      seen =>
        !seen.isZombie &&
        isNotBefore(seen.started, since) && // an older process cannot be a child: its environment need not be read
        !members.has(seen) &&
        !us.has(seen.pid) &&
        isOurs(seen) &&
        !spared.some(other => now.carries(seen.pid, other))
    )
  }

  /** Removes shared processes by their command lines, and programs in editors. Only the few outside the group are checked. */
  async #withoutShared(orphans: readonly Seen[], {all}: ProcessSnapshot): Promise<readonly Seen[]> {
    const again = await Promise.all(orphans.map(async ({pid}) => (await lookAgain(pid))?.command ?? ''))
    const editors = orphans.filter((_, at) => isEditor(again[at] ?? '')).map(({pid}) => pid)
    const inEditors = descendantsIn(all, editors)
    return orphans.filter((seen, at) => !this.#isLeftAlone(again[at] ?? '') && !inEditors.includes(seen))
  }

  /** Whether a process survives: at the end of an app shared daemons, at the end of the run only the user's own programs. */
  #isLeftAlone(command: string): boolean {
    return this.#options.group === undefined ? isUsersProgram(command) : outlivesItsApp(command)
  }

  #noteBelow({all}: ProcessSnapshot, members: ReadonlySet<Seen>): void {
    const earlier = all.filter(seen => this.#below.has(keyOf(seen)))
    const parents = [...members, ...earlier].map(({pid}) => pid)
    for (const seen of descendantsIn(all, parents)) this.#below.add(keyOf(seen))
  }

  /** Pids are reused: start time, and outside the group owner and marker, are checked again right before the signal. */
  async #signalOne(seen: Seen, name: NodeJS.Signals): Promise<void> {
    const {marker, ended} = this.#options
    const {pid, started} = seen
    const key = keyOf(seen)
    if (this.#signalled.has(`${key} ${name}`)) return
    const now = await lookAgain(pid)
    if (now?.started !== started) return
    if (!this.#members.includes(seen)) {
      if (!isWithinReach(now.uid) || this.#isLeftAlone(now.command)) return
      if (!now.carries(marker) && !this.#below.has(key)) return
      if (!this.#reported.has(key)) ended({pid, command: now.command})
      this.#reported.add(key)
    }
    this.#signalled.add(`${key} ${name}`)
    await this.#noteBefore(pid, now, name)
    sendSignal(pid, name)
  }
}

export interface Membership {
  /** The number of the group and pid of its leader. */
  readonly number: number
  /** When the leader started. */
  readonly started: number
  readonly marker: string
  /** Start times of members that were seen earlier, by pid. */
  readonly known: ReadonlyMap<number, number>
  /** Whether the leader was reaped: after the last member is gone, the system may reuse the number. */
  readonly isReaped: boolean
  /** Whether this is the first look after the leader was reaped. */
  readonly isFirst: boolean
}

/** The live members of a group; empty if it may be a different group with the same number. */
export function membersIn({all, carries}: ProcessSnapshot, membership: Membership): readonly Seen[] {
  const {number, marker, known, isReaped, isFirst} = membership
  const inGroup = all.filter(seen => seen.group === number)
  const members = inGroup.filter(seen => !seen.isZombie)
  const isSame =
    !isReaped ||
    members.some(({pid, started}) => known.get(pid) === started || carries(pid, marker)) ||
    (isFirst && inGroup.every(seen => wasForkedBy(membership, seen)))
  return isSame ? members : []
}

/**
 * A leader creates a session with its number, which identifies its children after it has exited, unless the number
 * belongs to a process with another start time, that is, was reused.
 */
const wasForkedBy = (leader: Membership, {pid, session, started}: Seen): boolean =>
  pid === leader.number
    ? isSameStart(started, leader.started)
    : session === leader.number && isNotBefore(started, leader.started)

const keyOf = ({pid, started}: Seen): string => `${pid} ${started}`

const isWithinReach = (uid: number): boolean => {
  const own = process.getuid?.()
  return own === 0 || own === uid
}
