import {closeSync, constants, openSync} from 'node:fs'
import {messageOf} from '../model/errors.ts'
import type {TerminalSize} from '../model/terminal.ts'
import {loadFfi, type CFunction} from './experimental.ts'

/** Both ends of a pseudo-terminal (pty(7)), as file descriptors. */
export interface PseudoTerminal {
  /** Our end, which never blocks. */
  readonly ours: number
  readonly theirs: number
  /** `/dev/pts/3` */
  readonly path: string
}

/** Requests of ioctl(2) as Linux numbers them on x64 and arm64 (ioctl_tty(2)). */
const SET_LOCK = 0x4004_5431n
const GET_NUMBER = 0x8004_5430n
const SET_SIZE = 0x5414n

const {O_RDWR, O_NOCTTY, O_NONBLOCK} = constants

/** Why an app can have no terminal here; '': it can. */
export function whyNoTerminal(): string {
  const control = ioctl()
  return typeof control === 'string' ? control : ''
}

/** Opens a pseudo-terminal. Throws an error with the reason if there is none. */
export function openPseudoTerminal(size: TerminalSize): PseudoTerminal {
  const control = ioctl()
  if (typeof control === 'string') throw new Error(control)
  const ours = openSync('/dev/ptmx', O_RDWR | O_NOCTTY | O_NONBLOCK)
  try {
    const number = new Int32Array(1)
    if (control(ours, SET_LOCK, number) !== 0 || control(ours, GET_NUMBER, number) !== 0)
      throw new Error('the system gives none (ioctl of /dev/ptmx)')
    resizePseudoTerminal(ours, size)
    const path = `/dev/pts/${number[0] ?? 0}`
    return {ours, path, theirs: openSync(path, O_RDWR | O_NOCTTY)}
  } catch (error) {
    closeSync(ours)
    throw error
  }
}

/** Sets the size of a pseudo-terminal. The programs in it receive SIGWINCH. */
export function resizePseudoTerminal(ours: number, {columns, rows}: TerminalSize): void {
  const control = ioctl()
  if (typeof control !== 'string') control(ours, SET_SIZE, new Uint16Array([rows, columns, 0, 0]))
}

let found: CFunction | string | undefined

/** ioctl(2), or why it cannot be called. */
const ioctl = (): CFunction | string => (found ??= findIoctl())

function findIoctl(): CFunction | string {
  if (process.platform !== 'linux')
    return `Pillion opens terminals on Linux only so far, and this is ${process.platform}`
  const needed = 'Node 26 can, and so can the single executable'
  try {
    const library = loadFfi()?.dlopen(null, {ioctl: {arguments: ['i32', 'u64', 'pointer'], return: 'i32'}})
    return library?.functions['ioctl'] ?? `Node ${process.versions.node} cannot call the system for it: ${needed}`
  } catch (error) {
    return `this Node cannot call the system for it (${messageOf(error)}): ${needed}`
  }
}
