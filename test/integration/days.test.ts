import {join} from 'node:path'
import {execFile} from 'node:child_process'
import t from 'tap'

const DAYS = join(import.meta.dirname, '../days/main.ts')
const WALK = ['--seed', '1', '--seeds', '4', '--steps', '100', '--tries', '100']

// in a process of its own: modules are replaced there. `npm run days` takes other seeds, and does the same with real processes
t.test('what people do in any order goes as the manual says: four days', async t => {
  const {code, stdout} = await new Promise<{code: unknown; stdout: string}>(resolve =>
    execFile(process.execPath, [DAYS, ...WALK], (error, stdout) => resolve({code: error?.code ?? 0, stdout}))
  )
  t.equal(code, 0, stdout)
  t.equal(stdout.match(/as it must be/g)?.length, 4, stdout)
})
