/**
 * Modules of Node that some of its versions call experimental, loaded without the warning: a reader of our stderr can do nothing
 * about it.
 */
import type * as Sqlite from 'node:sqlite'

/** Used part of `node:ffi`, which calls functions of C libraries (Node 26 and newer). */
export interface Ffi {
  /** `library` null: what this process has loaded, its C library for one. */
  dlopen(
    library: string | null,
    functions: Readonly<Record<string, {readonly arguments: readonly string[]; readonly return: string}>>
  ): {readonly functions: Readonly<Record<string, CFunction>>}
  /** Returns the address of the bytes; valid as long as the buffer is. */
  getRawPointer(buffer: Buffer): bigint
}

export type CFunction = (...args: readonly (bigint | number | NodeJS.ArrayBufferView)[]) => number

export const loadSqlite = (): typeof Sqlite => quietly('node:sqlite') as typeof Sqlite

/** Undefined where this Node has none. */
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
