import {execFile} from 'node:child_process'
import {join} from 'node:path'

const DAYS = join(import.meta.dirname, '../days/main.ts')

/** Runs `npm run days` with these arguments, in a process of its own, since modules are replaced there. */
export const days = async (...args: readonly string[]): Promise<{readonly code: unknown; readonly printed: string}> =>
  new Promise(resolve =>
    execFile(process.execPath, [DAYS, '--tries', '100', ...args], (error, stdout, stderr) =>
      resolve({code: error?.code ?? 0, printed: stdout + stderr})
    )
  )
