/** A process in a snapshot. */
export interface Seen {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Start in the system's own unit (Linux: clock ticks since boot; macOS: seconds), only for comparison. With the pid it identifies a process. */
  readonly started: number
  /** Whether the process has exited and was not reaped yet. */
  readonly isZombie: boolean
}

/** All processes at one moment. */
export interface ProcessSnapshot {
  readonly all: readonly Seen[]
  /** Whether the environment of a process contains exactly this `NAME=value`; false if it cannot be read. */
  readonly carries: (pid: number, marker: string) => boolean
  /** Whether the environment of a process is empty: the process is exiting, but its ports and files are still open. */
  readonly isBare: (pid: number) => boolean
}

/** Facts of a process that are read again before a signal. */
export interface Particulars {
  readonly started: number
  readonly uid: number
  readonly command: string
  /** Whether the process has a handler for this signal; false if unknown. */
  readonly catches: (signal: NodeJS.Signals) => boolean
  /** Text that changes when its main thread runs, or a signal waits for it. */
  readonly activity: string
  readonly carries: (marker: string) => boolean
}
