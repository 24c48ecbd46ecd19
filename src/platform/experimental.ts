/** Loads modules that some versions of Node call experimental, without the warning: users cannot act on it. */
import type * as Sqlite from 'node:sqlite'

/** The used part of `node:ffi`, which calls functions of C libraries (Node 26 and newer). */
export interface Ffi {
  /** Opens a library; null: the libraries of this process, such as the C library. */
  dlopen(
    library: string | null,
    functions: Readonly<Record<string, {readonly arguments: readonly string[]; readonly return: string}>>
  ): {readonly functions: Readonly<Record<string, CFunction>>}
  /** Returns the address of the bytes, valid as long as the buffer. */
  getRawPointer(buffer: Buffer): bigint
}

export type CFunction = (...args: readonly (bigint | number | NodeJS.ArrayBufferView)[]) => number

export const loadSqlite = (): typeof Sqlite => quietly('node:sqlite') as typeof Sqlite

/** Loads node:ffi, if this Node has it. */
export const loadFfi = (): Ffi | undefined => quietly('node:ffi') as Ffi | undefined

function quietly(name: string): unknown {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule(name)
  } finally {
    process.emitWarning = emitWarning
  }
}
