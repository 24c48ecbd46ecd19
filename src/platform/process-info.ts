/** A process at the moment of a look. */
export interface Seen {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /**
   * In the system's own unit (Linux: clock ticks since boot; macOS: seconds), for comparing only. With the pid it names
   * one process for ever.
   */
  readonly started: number
  /** Dead, and not yet reaped. */
  readonly isZombie: boolean
}

/** All processes at one moment. */
export interface Look {
  readonly all: readonly Seen[]
  /** Whether its environment holds exactly this `NAME=value`; false when it may not be read. */
  readonly carries: (pid: number, marker: string) => boolean
  /** It has no environment (any more): so looks a process on its way out, while its ports and files are still open. */
  readonly isBare: (pid: number) => boolean
}

/** What is read of one process once more before it is signalled. */
export interface Particulars {
  readonly started: number
  readonly uid: number
  readonly command: string
  readonly carries: (marker: string) => boolean
}
