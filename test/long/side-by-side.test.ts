import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const COPIES = ['a', 'b', 'c', 'd']
/** What the shop sells in one run, and what is left of it. */
const SOLD = ['pears sold, 99', 'plums sold, 99', 'figs sold, 99', 'pears sold, 98', 'plums sold, 98']

/** The files of an example, by their paths in it. */
const filesOf = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(join(EXAMPLES, name), {recursive: true, withFileTypes: true})
      .filter(entry => entry.isFile() && !entry.parentPath.includes('/.dapr'))
      .map(entry => {
        const path = join(entry.parentPath, entry.name)
        return [path.slice(join(EXAMPLES, name).length + 1), readFileSync(path, 'utf8')]
      })
  )

t.test('five copies of the shop: each stock takes the orders of its own shop, and counts for itself', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const components = 'resources/components.yaml'
  const files = filesOf('shop')
  const text = files[components]?.replaceAll(':6379', `:${port}`) ?? ''
  await writeWorktrees(rig, {...files, [components]: text}, COPIES)
  const runs = ['main', ...COPIES].map(folder => rig.pillion(['up'], {folder}))
  await Promise.all(runs.map(async run => run.waitForLine('sold', {nth: SOLD.length})))
  for (const run of runs) {
    const sold = run.stdout.lines.filter(line => line.includes('sold'))
    t.same(
      sold,
      SOLD.map(each => `== APP - stock == 1 ${each} left`)
    )
    run.signal('SIGINT')
  }
  for (const {exited} of runs) t.match(await exited, {code: 0})
})

t.test('five copies pass their tests at once', async t => {
  const rig = await openRig(t)
  await writeWorktrees(rig, filesOf('ci'), COPIES)
  const main = rig.pillion(['up'], {folder: 'main'})
  t.match(await rig.run(['wait', '--for', 'ready'], {folder: 'main'}), {code: 0})
  const results = await Promise.all(COPIES.map(async folder => rig.run(['up', '--run', 'node --test'], {folder})))
  for (const result of results) t.match(result, {code: 0})
  const {stdout} = await rig.run(['calls', '-o', 'ndjson'], {folder: 'main'})
  t.notMatch(stdout, '"path":"/items/', 'no copy has called another one')
  t.match(await main.end('SIGINT'), {code: 0})
})
