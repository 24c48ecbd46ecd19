import {codeOf} from './errors.ts'
import {closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats} from 'node:fs'

/** Maximum size of a template, an `.env` file or a resource in bytes: far more than people write, and parsed within seconds. */
const MAX_TEXT_BYTES = 2 ** 20

const CHUNK_BYTES = 64 * 1024

/** Returns the text of a file that a user names, without a byte order mark. Throws like `readTextBytes`. */
export const readTextFile = (path: string): string => utf8Text(readTextBytes(path))

/**
 * Returns the bytes of a text file that a user names. Throws if it is not a regular file (a named pipe would block, a device may
 * never end) or larger than `maxBytes`, with a text that can follow the path. Other errors are the system's.
 */
export function readTextBytes(path: string, maxBytes = MAX_TEXT_BYTES): Buffer {
  const stats = statSync(path)
  const fault = faultOf(stats)
  if (fault !== '') throw Object.assign(new Error(fault), stats.isDirectory() ? {code: 'EISDIR'} : {})
  // O_NONBLOCK: does not block if a pipe has replaced the file
  return readPath(path, constants.O_RDONLY | constants.O_NONBLOCK, maxBytes)
}

/** Reads all of standard input. Throws if it is larger than 1 MiB. */
export const readInputBytes = (): Buffer => readOpen(0, MAX_TEXT_BYTES)

/** Reads a file, a pipe or a device whole. Throws if it has more than `maxBytes`, and the system's errors. */
export const readWhole = (path: string, maxBytes: number): Buffer => readPath(path, constants.O_RDONLY, maxBytes)

/** Explains why a path cannot be read as text; '': it can. Throws the system's errors. */
export const fileFault = (path: string): string => faultOf(statSync(path))

function readPath(path: string, flags: number, maxBytes: number): Buffer {
  const file = openSync(path, flags)
  try {
    return readOpen(file, maxBytes)
  } finally {
    closeSync(file)
  }
}

function readOpen(file: number, maxBytes: number): Buffer {
  let bytes = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, Math.min(fstatSync(file).size, maxBytes) + 1))
  let size = 0
  for (;;) {
    // a pipe may deliver single bytes
    if (size === bytes.length) bytes = Buffer.concat([bytes], 2 * size)
    const length = readReady(file, bytes.subarray(size))
    if (length === 0) return bytes.subarray(0, size)
    size += length
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes / 2 ** 20} MiB`)
  }
}

/** Reads as `readSync`, and waits if the writer has made the pipe non-blocking (EAGAIN). */
function readReady(file: number, into: Buffer): number {
  for (;;)
    try {
      return readSync(file, into)
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
}

/** Decodes UTF-8 without a byte order mark; invalid bytes become U+FFFD. */
export const utf8Text = (bytes: Buffer): string => bytes.toString('utf8').replace(/^\uFEFF/, '')

function faultOf(stats: Stats): string {
  if (stats.isFile()) return ''
  if (stats.isDirectory()) return 'it is a directory'
  return `it is ${stats.isFIFO() ? 'a named pipe' : stats.isSocket() ? 'a socket' : 'a device'}, not a regular file`
}
