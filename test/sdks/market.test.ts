import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {symlink} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {copyExample} from '../rig/example.ts'
import {freePort} from '../rig/free-port.ts'
import {has} from '../rig/installed.ts'
import {openRig} from '../rig/rig.ts'
import {daprForJavascript, installed} from './installed.ts'

t.setTimeout(300_000)

t.test('the market’s own tests pass by the command of its page, and nothing is left', async t => {
  const sdk = await installed(t, daprForJavascript('3.18.0'))
  if (sdk === undefined || !has(t, 'python3') || !has(t, 'go', ['version'])) return
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'market')
  await symlink(join(sdk, 'node_modules'), join(folder, 'node_modules'))
  const components = readFileSync(join(folder, 'resources/components.yaml'), 'utf8')
  await rig.write({'market/resources/components.yaml': components.replace('6379', (await freePort()).toString())})
  const go = JSON.parse(execFileSync('go', ['env', '-json', 'GOCACHE', 'GOMODCACHE'], {encoding: 'utf8'})) as Record<
    string,
    string
  >
  const page = readFileSync(join(folder, 'README.md'), 'utf8')
  t.match(page, /^pillion up --run 'node --test'$/m)
  const run = rig.pillion(['up', '--timeout', '3m', '--run', `'${process.execPath}' --test`], {
    env: {...go, PATH: process.env['PATH'] ?? ''},
    folder: 'market'
  })
  t.same(await run.exited, {code: 0, signal: null}, run.stdout.text + run.stderr.text)
  t.match(run.stdout.text, /pass 3\n/)
  t.same(await rig.leftovers(), [])
})
