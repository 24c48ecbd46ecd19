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

/** A process outside the group that the tracker has ended: it had left its app's group, or its app had exited. */
export interface Orphan {
  readonly pid: number
  readonly command: string
}

export interface ProcessTrackerOptions {
  /** Process group of an app process; undefined: the tracker finds the processes of a whole run, by the marker alone. */
  readonly group?: Pick<ProcessGroup, 'pid' | 'started' | 'hasExited' | 'signal'> | undefined
  /** `NAME=value` in the environment of all processes that belong here. */
  readonly marker: string
  /** Whether to find processes outside the group, too, by the marker. */
  readonly endsOrphans: boolean
  /** Markers of processes that keep running. */
  readonly spared?: readonly string[]
  /** Called once for each process outside the group that gets a signal. */
  readonly ended: (orphan: Orphan) => void
}

/**
 * Finds the processes of one app process, or of a whole run, by their group and by the marker in their environment, and sends signals to no
 * others. `endGroup` and `endMarked` call `look`, then `signal` or `kill`, again and again until no process is left.
 */
export class ProcessTracker {
  readonly #options: ProcessTrackerOptions
  /** Start times of processes that were found, by pid. A group that contains one of them still belongs to the app. */
  readonly #knownStarts = new Map<number, number>()
  /** Descendants of the group (`PID START`), found by their parents: on macOS, which hides the environment of some. */
  readonly #descendants = new Set<string>()
  /** Processes outside the group that were reported by `ended` (`PID START`). */
  readonly #reported = new Set<string>()
  /** Signals that were sent (`PID START SIGNAL`). */
  readonly #signalled = new Set<string>()
  /** Activity of processes just before a parent with a signal handler got a signal, by `PID START`. */
  readonly #activityBefore = new Map<string, string>()
  /** Processes of the group, and processes outside it, at the last look. */
  #members: readonly Seen[] = []
  #orphans: readonly Seen[] = []
  /** Whether a look has taken place since the leader was reaped. */
  #wasSeenAfterExit = false

  constructor(options: ProcessTrackerOptions) {
    this.#options = options
  }

  /** Reads the process table. Resolves with whether a process may be left, apart from zombies. An unreadable table counts as one. */
  async look(): Promise<boolean> {
    const now = await look()
    const members = (this.#members = this.#membersIn(now))
    this.#orphans = await this.#withoutSpared(this.#orphansIn(now, new Set(members)), now)
    for (const {pid, started} of [...members, ...this.#orphans]) this.#knownStarts.set(pid, started)
    return members.length + this.#orphans.length > 0 || now.all.length === 0
  }

  /** Sends a signal to the leader, even if the process table was unreadable. */
  async signalLeader(name: NodeJS.Signals): Promise<void> {
    const {group} = this.#options
    if (group?.pid === undefined || group.hasExited()) return
    await this.#noteActivityBelow(group.pid, await lookAgain(group.pid), name)
    group.signal(name, 'leader')
  }

  /** Sends a signal once to each process of the last look but the leader. `top`: only if neither its parent nor the leader runs, which may forward it. */
  async signal(name: NodeJS.Signals, scope: 'top' | 'all'): Promise<void> {
    const found = this.#found
    const living = new Set(found.map(({pid}) => pid))
    const leader = this.#options.group
    const mayReceiveItFromParent = ({pid, parent, group}: Seen): boolean =>
      leader?.hasExited() === false || living.has(parent) || (group !== pid && living.has(group))
    const targets = found.filter(seen => seen.pid !== leader?.pid && (scope === 'all' || !mayReceiveItFromParent(seen)))
    await Promise.all(
      targets.map(async seen => {
        if (scope === 'all' || !(await this.#hasRunSinceSignal(seen))) await this.#signalOne(seen, name)
      })
    )
  }

  /** Kills the group, unless it was empty at the last look, and the processes outside it. */
  async kill(): Promise<void> {
    const {group} = this.#options
    if (group?.hasExited() === false) group.signal('SIGKILL', 'group')
    else if (group?.pid !== undefined && this.#members.length > 0) signalGroup(group.pid, 'SIGKILL')
    await Promise.all(this.#orphans.map(async orphan => this.#signalOne(orphan, 'SIGKILL')))
  }

  get #found(): readonly Seen[] {
    return [...this.#members, ...this.#orphans]
  }

  /** Notes the activity of the descendants of a process that is about to get a signal which it handles. */
  async #noteActivityBelow(pid: number, now: Particulars | undefined, name: NodeJS.Signals): Promise<void> {
    if (now?.catches(name) !== true) return
    for (const seen of descendantsIn(this.#found, [pid]))
      this.#activityBefore.set(keyOf(seen), (await lookAgain(seen.pid))?.activity ?? '')
  }

  /** Whether a process has run since a process above it got the signal. A process that has not cannot have received it. */
  async #hasRunSinceSignal(seen: Seen): Promise<boolean> {
    const before = this.#activityBefore.get(keyOf(seen))
    return before !== undefined && (await lookAgain(seen.pid))?.activity !== before
  }

  #membersIn(now: ProcessSnapshot): readonly Seen[] {
    const {group, marker} = this.#options
    if (group?.pid === undefined) return []
    const isReaped = group.hasExited()
    const isFirst = isReaped && !this.#wasSeenAfterExit
    this.#wasSeenAfterExit = isReaped
    return membersIn(now, {
      number: group.pid,
      started: group.started,
      marker,
      known: this.#knownStarts,
      isReaped,
      isFirst
    })
  }

  #orphansIn(now: ProcessSnapshot, members: ReadonlySet<Seen>): readonly Seen[] {
    const {group, marker, endsOrphans, spared = []} = this.#options
    if (!endsOrphans) return []
    const ownProcesses = ownAncestry(now)
    const since = group?.started ?? 0
    if (hidesEnvironments) this.#noteDescendants(now, members)
    const isOurs = (seen: Seen): boolean =>
      now.carries(seen.pid, marker) ||
      this.#descendants.has(keyOf(seen)) ||
      (now.isBare(seen.pid) && this.#knownStarts.get(seen.pid) === seen.started)
    return now.all.filter(
      seen =>
        !seen.isZombie &&
        isNotBefore(seen.started, since) && // an older process cannot be a child: its environment need not be read
        !members.has(seen) &&
        !ownProcesses.has(seen.pid) &&
        isOurs(seen) &&
        !spared.some(other => now.carries(seen.pid, other))
    )
  }

  /** Removes processes that keep running, and programs in editors, from the processes outside the group. */
  async #withoutSpared(orphans: readonly Seen[], {all}: ProcessSnapshot): Promise<readonly Seen[]> {
    const commands = await Promise.all(orphans.map(async ({pid}) => (await lookAgain(pid))?.command ?? ''))
    const editors = orphans.filter((_, at) => isEditor(commands[at] ?? '')).map(({pid}) => pid)
    const inEditors = descendantsIn(all, editors)
    return orphans.filter((seen, at) => !this.#keepsRunning(commands[at] ?? '') && !inEditors.includes(seen))
  }

  /** Whether a process keeps running: shared daemons at the end of an app, only the user's own programs at the end of the run. */
  #keepsRunning(command: string): boolean {
    return this.#options.group === undefined ? isUsersProgram(command) : outlivesItsApp(command)
  }

  #noteDescendants({all}: ProcessSnapshot, members: ReadonlySet<Seen>): void {
    const earlier = all.filter(seen => this.#descendants.has(keyOf(seen)))
    const parents = [...members, ...earlier].map(({pid}) => pid)
    for (const seen of descendantsIn(all, parents)) this.#descendants.add(keyOf(seen))
  }

  /** Sends a signal. Right before, checks the start time again, and outside the group owner and marker, since pids are reused. */
  async #signalOne(seen: Seen, name: NodeJS.Signals): Promise<void> {
    const {marker, ended} = this.#options
    const {pid, started} = seen
    const key = keyOf(seen)
    if (this.#signalled.has(`${key} ${name}`)) return
    const now = await lookAgain(pid)
    if (now?.started !== started) return
    if (!this.#members.includes(seen)) {
      if (!isWithinReach(now.uid) || this.#keepsRunning(now.command)) return
      if (!now.carries(marker) && !this.#descendants.has(key)) return
      if (!this.#reported.has(key)) ended({pid, command: now.command})
      this.#reported.add(key)
    }
    this.#signalled.add(`${key} ${name}`)
    await this.#noteActivityBelow(pid, now, name)
    sendSignal(pid, name)
  }
}

export interface Membership {
  /** Number of the group, which is the pid of its leader. */
  readonly number: number
  /** Start time of the leader. */
  readonly started: number
  readonly marker: string
  /** Start times of members that were found earlier, by pid. */
  readonly known: ReadonlyMap<number, number>
  /** Whether the leader was reaped, so that the system may reuse the number once the last member is gone. */
  readonly isReaped: boolean
  /** Whether this is the first look after the leader was reaped. */
  readonly isFirst: boolean
}

/** Returns the living members of a group; empty also if it may be another group with the same number. */
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

/** Whether a process belongs to the leader's session, which has the leader's number. Another start time at this pid shows that the number was reused. */
const wasForkedBy = (leader: Membership, {pid, session, started}: Seen): boolean =>
  pid === leader.number
    ? isSameStart(started, leader.started)
    : session === leader.number && isNotBefore(started, leader.started)

const keyOf = ({pid, started}: Seen): string => `${pid} ${started}`

const isWithinReach = (uid: number): boolean => {
  const own = process.getuid?.()
  return own === 0 || own === uid
}
