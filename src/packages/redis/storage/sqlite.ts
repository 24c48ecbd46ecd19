type Sqlite = typeof import('node:sqlite')

let loaded: Sqlite | undefined

/** Loads node:sqlite when it is first needed. Older versions of Node warn on stderr that it is experimental: nobody here can act on that. */
export function sqlite(): Sqlite {
  if (loaded !== undefined) return loaded
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    loaded = process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
  return loaded
}

/** Result codes of SQLite (https://sqlite.org/rescode.html), without their extensions. */
const BUSY = 5
const CORRUPT = 11
const NOT_A_DATABASE = 26

/** The primary result code of an error of SQLite; 0 for other errors. */
const resultOf = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0

export const isBusy = (error: unknown): boolean => resultOf(error) === BUSY

export const isDamaged = (error: unknown): boolean => [CORRUPT, NOT_A_DATABASE].includes(resultOf(error))
