import {readFileSync} from 'node:fs'
import {orElse} from '../model/or-else.ts'
import {loadFfi} from './experimental.ts'

const PAGE_BYTES = 4096
/** madvise(2) */
const MADV_DONTNEED = 4

/** Resident memory of this process in bytes, proc(5): its own, and pages of files. */
export interface ResidentMemory {
  readonly own: number
  readonly ofFiles: number
}

/** Returns the memory of this process. If the system does not distinguish the two kinds, all is `own`; 0 if it cannot be read. */
export function residentMemory(): ResidentMemory {
  try {
    const [, resident = 0, shared = 0] = readFileSync('/proc/self/statm', 'latin1').split(' ').map(Number)
    return {own: (resident - shared) * PAGE_BYTES, ofFiles: shared * PAGE_BYTES}
  } catch {
    return {own: orElse(() => process.memoryUsage.rss(), 0), ofFiles: 0}
  }
}

/**
 * Releases pages of Node's program. A start reads 40 MB of it, calls need a quarter; the system's cache returns 64 kB in a microsecond.
 * False if Node cannot call the C library, or no such pages are known.
 */
export function dropProgramPages(): boolean {
  program ??= findProgram()
  for (const {start, bytes} of program.ranges) program.madvise?.(start, bytes, MADV_DONTNEED)
  return program.ranges.length > 0
}

interface Program {
  readonly ranges: readonly {readonly start: bigint; readonly bytes: bigint}[]
  readonly madvise: ((...args: readonly (bigint | number)[]) => number) | undefined
}

let program: Program | undefined

const findProgram = (): Program =>
  orElse(
    () => {
      const library = loadFfi()?.dlopen(null, {madvise: {arguments: ['u64', 'u64', 'i32'], return: 'i32'}})
      const madvise = library?.functions['madvise']
      const isThere = madvise !== undefined
      return {madvise, ranges: isThere ? rangesIn(readFileSync('/proc/self/smaps', 'utf8'), process.execPath) : []}
    },
    {madvise: undefined, ranges: []}
  )

/** Heading of a mapping that is readable and not writable, and its file. */
const HEADING = /^\S+ r-[x-]p \S+ \S+ \d+ +(.*)/

/** Returns the read-only parts of a program's file from the text of `/proc/self/smaps`: other parts would lose data. */
export function rangesIn(smaps: string, path: string): Program['ranges'] {
  return smaps
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter(part => HEADING.exec(part)?.[1] === path && /^Anonymous: +0 kB$/m.test(part))
    .map(part => {
      const [start = 0n, end = 0n] = (part.split(' ', 1)[0] ?? '').split('-').map(digits => BigInt(`0x${digits}`))
      return {start, bytes: end - start}
    })
}
