import {mkdir, readdir, readFile, symlink} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {openRig} from '../rig/rig.ts'

const BINARY = process.env['PILLION']
const skip = BINARY === undefined ? 'only for the executable: PILLION=build/pillion' : false

/** Nothing but a few programs on the PATH, and no Node but under a name that only the apps know. */
t.test('alone in an empty environment the executable runs, reloads, stops, and leaves nothing', {skip}, async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'orders')
  const bin = join(rig.folder, 'bin')
  await mkdir(bin)
  for (const name of ['sh', 'mkfifo', 'sleep', 'cat', 'rm']) await symlink(await whichOf(name), join(bin, name))
  await symlink(process.execPath, join(bin, 'apps-own-node'))
  const template = await readFile(join(folder, 'dapr.yaml'), 'utf8')
  await rig.write({'orders/dapr.yaml': template.replaceAll('[node,', '[apps-own-node,')})
  const alone = [
    'env',
    '-i',
    `PATH=${bin}`,
    `HOME=${rig.home}`,
    `PILLION_RUNTIME_DIR=${rig.runtimeDir}`,
    'PILLION_NAMES=0',
    BINARY ?? ''
  ]
  const before = (await readdir(rig.folder)).toSorted()

  const run = rig.start([...alone, 'run', '-f', 'orders', '--watch'])
  await run.waitForLine('== APP - shop == Ada gets 2 × apple')
  const code = join(folder, 'stock/stock.mjs')
  await rig.write({'orders/stock/stock.mjs': `${await readFile(code, 'utf8')}\n// changed\n`})
  t.match(await run.waitForLine(/stock: reloaded in/), / 0 lost/)
  await run.waitForLine('== APP - shop == closed for today')
  const stop = rig.start([...alone, 'stop', '-f', 'orders'])
  t.match(await stop.exited, {code: 0})
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
  t.same(await readdir(rig.runtimeDir), [])
  t.same((await readdir(rig.folder)).toSorted(), before)
})

t.test('NODE_OPTIONS is for the Node of the apps alone', {skip}, async t => {
  const rig = await openRig(t)
  const command = [process.execPath, '-p', '"dotenv is " + typeof loaded']
  await rig.write({'shop/loaded.cjs': 'globalThis.loaded = 1'})
  await rig.template([{appID: 'shop', command}])
  for (const NODE_OPTIONS of ['--experimental-transform-types', '--require ./nowhere.cjs', '--inspect=127.0.0.1:1'])
    t.match(await rig.run(['--version'], {env: {NODE_OPTIONS}}), {code: 0, stderr: ''}, NODE_OPTIONS)
  const run = await rig.run(['run', '-f', '.'], {env: {NODE_OPTIONS: '--require ./loaded.cjs'}})
  t.match(run, {code: 0, stdout: '== APP - shop == dotenv is number\n'})
})

async function whichOf(name: string): Promise<string> {
  for (const folder of ['/bin', '/usr/bin']) if ((await readdir(folder)).includes(name)) return join(folder, name)
  throw new Error(`no ${name} beside ${dirname(process.execPath)}`)
}
