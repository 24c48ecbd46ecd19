import {execFileSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copyExample, hasLines} from '../rig/example.ts'
import {freePort} from '../rig/free-port.ts'
import {has} from '../rig/installed.ts'
import {openRig} from '../rig/rig.ts'

t.test('python: a panel asks a thermometer', async t => {
  if (!has(t, 'python3')) return
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-f', (await copyExample(rig, 'python')).folder])
  t.same(await run.exited, {code: 0, signal: null})
  hasLines(t, run, [
    '== APP - thermometer == measuring kitchen, cellar, attic',
    '== APP - panel == kitchen: 21.5 °C',
    '== APP - panel == garage: no garage here',
    '== APP - thermometer == switched off'
  ])
  t.same(await rig.leftovers(), [])
})

t.test('go: a reader looks words up in a dictionary that is still compiling', async t => {
  if (!has(t, 'go', ['version'])) return
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'go')
  const go = JSON.parse(execFileSync('go', ['env', '-json', 'GOCACHE', 'GOMODCACHE'], {encoding: 'utf8'})) as Record<
    string,
    string
  >
  const run = rig.pillion(['run', '-f', folder], {env: {...go, GOFLAGS: '-mod=mod'}})
  t.same(await run.exited, {code: 0, signal: null})
  hasLines(t, run, [
    '== APP - dictionary == open, 3 words',
    '== APP - reader == pillion: a seat behind the rider',
    '== APP - reader == daemon: not in this dictionary',
    '== APP - dictionary == closed'
  ])
  t.same(await rig.leftovers(), [])
})

t.test('two terminals: the second run finds the first by its id', async t => {
  const rig = await openRig(t)
  await copyExample(rig, 'two-terminals')
  const at = {folder: 'two-terminals'}
  const port = (await freePort()).toString()
  const clock = rig.pillion(['run', '--app-id', 'clock', '--app-port', port, '--', 'node', 'clock.mjs'], at)
  await clock.waitForLine(/^ticking$/)
  const traveller = rig.pillion(['run', '--app-id', 'traveller', '--', 'node', 'traveller.mjs'], at)
  t.same(await traveller.exited, {code: 0, signal: null})
  t.match(
    traveller.stdout.text,
    /^Europe\/Stockholm: \d\d:\d\d:\d\d\nAsia\/Tokyo: \d\d:\d\d:\d\d\nAtlantis: no zone Atlantis$/m
  )
  t.match(await rig.run(['stop', '--app-id', 'clock']), {code: 0, stdout: '✅  app stopped successfully: clock\n'})
  t.same(await clock.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('shop: orders are published and the stock is kept in state, although there is no Redis', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'shop')
  const components = join(folder, 'resources/components.yaml')
  const port = (await freePort()).toString()
  writeFileSync(components, readFileSync(components, 'utf8').replaceAll('localhost:6379', `localhost:${port}`))
  const run = rig.pillion(['run', '-f', folder], {env: {ORDERS: '3'}})
  await run.waitForLine('== APP - stock == 1 figs sold, 99 left')
  t.ok(run.stdout.lines.includes('== APP - shop == ordered pears: 204'))
  t.ok(run.stdout.lines.includes('== APP - stock == 1 pears sold, 99 left'))
  t.match(run.stderr.text, `No Redis at localhost:${port}: Pillion serves one`)
  t.match(await rig.run(['stop', '-f', folder]), {code: 0})
  t.same(await rig.leftovers(), [])
})
