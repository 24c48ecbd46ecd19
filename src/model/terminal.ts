/** How many characters a terminal shows in a line, and how many lines. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** Escape sequences that reset a terminal's modes: bracketed paste, mouse, a hidden cursor, colours (ECMA-48, xterm). */
export const RESET_MODES =
  '\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[m'

export const ENTER_SECOND_SCREEN = '\x1b[?1049h'
export const LEAVE_SECOND_SCREEN = '\x1b[?1049l'

/** Trailer of a terminal's output with the end of its app (`TerminalEnd` as JSON). */
export const END_TRAILER = 'pillion-end'

export interface TerminalEnd {
  /** `exited with code 7`; '': it was stopped. */
  readonly exit: string
  readonly exitCode: number | null
}

/** A viewer of a terminal. */
export interface TerminalViewer {
  readonly show: (bytes: Buffer) => void
  /** Called when the app has ended, and is not started again by itself. */
  readonly ended: () => void
}
