/** Writes to a descriptor without blocking the event loop. Pipes, terminals and files need a different way each. */
import {constants, fstatSync, openSync, writeSync} from 'node:fs'
import {Socket} from 'node:net'
import {isatty} from 'node:tty'
import {codeOf} from '../../model/errors.ts'
import {writeText} from '../../platform/write-text.ts'

/** Interval at which a blocked terminal is retried: Node reports no event for it. */
const RETRY_MS = 5

/** Writes a latin1 text completely without blocking, then calls `done` once. */
type Put = (text: string, done: (error?: Error | null) => void) => void

/** Returns the function that writes to a descriptor. */
export function putTo(fd: number): Put {
  if (isatty(fd)) return putToTerminal(descriptionOfOurOwn(fd, ['/dev/tty']))
  const stats = fstatSync(fd)
  if (stats.isFIFO()) return putToSocket(descriptionOfOurOwn(fd))
  // a file is written in the thread pool: disks have no readiness events
  return stats.isSocket() ? putToSocket(fd) : (text, done) => writeText(fd, text, done)
}

/**
 * Opens the file of a descriptor again. O_NONBLOCK belongs to the open file description, which we share with our parent and with other
 * processes (Linux: proc(5), /proc/pid/fd). If that fails (no /proc, another user's terminal), tries `others`, then returns `fd` itself.
 */
function descriptionOfOurOwn(fd: number, others: readonly string[] = []): number {
  for (const path of [`/proc/self/fd/${fd}`, ...others]) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch {
      continue // try the next path
    }
  }
  return fd
}

/** Writes through the event loop, which a slow reader does not block. */
function putToSocket(fd: number): Put {
  const socket = new Socket({fd, readable: false, writable: true})
  socket.on('error', () => undefined) // each write gets the error, too
  return (text, done) => void socket.write(text, 'latin1', done)
}

/**
 * Writes without blocking, and retries. A terminal that is paused with Ctrl-S accepts nothing, possibly for hours: a blocking write would
 * block us, and a write in the thread pool would block our exit, which waits for the threads (tried).
 */
function putToTerminal(fd: number): Put {
  const put: Put = (text, done) => {
    let written = 0
    try {
      written = writeSync(fd, text, null, 'latin1')
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') return done(error instanceof Error ? error : new Error(String(error)))
    }
    if (written === text.length) done()
    else setTimeout(put, written === 0 ? RETRY_MS : 0, text.slice(written), done)
  }
  return put
}
