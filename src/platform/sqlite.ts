import type * as sqlite from 'node:sqlite'

/** Loads SQLite. Node 22 and 24 warn that it is experimental: nobody who reads our stderr can do anything about that. */
export async function loadSqlite(): Promise<typeof sqlite> {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      Reflect.apply(emitWarning, undefined, [warning, ...rest])
  }
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
