import {join} from 'node:path'
import {execFile} from 'node:child_process'
import t from 'tap'

const DAYS = join(import.meta.dirname, '../days/main.ts')
const days = async (...args: readonly string[]): Promise<{readonly code: unknown; readonly stdout: string}> =>
  new Promise(resolve =>
    execFile(process.execPath, [DAYS, '--tries', '100', ...args], (error, stdout) =>
      resolve({code: error?.code ?? 0, stdout})
    )
  )

// in a process of its own: modules are replaced there. `npm run days` takes other seeds, and does the same with real processes
t.test('what people do in any order goes as the manual says: four days', async t => {
  const {code, stdout} = await days('--seed', '1', '--seeds', '4', '--steps', '100')
  t.equal(code, 0, stdout)
  t.equal(stdout.match(/as it must be/g)?.length, 4, stdout)
})

/** Walks that found something once, and the seed with which they did. */
const FOUND = {
  'an edit that is taken back before it is noticed starts nothing that has ended': [
    '4',
    'add 3 1, add 1 1, crash 1 1 …, edit dependencies 1 1 …, remove 2 1'
  ]
} as const

for (const [what, [seed, walk]] of Object.entries(FOUND))
  t.test(what, async t => {
    const {code, stdout} = await days('--seed', seed, '--walk', walk)
    t.equal(code, 0, stdout)
  })
