import {execFile} from 'node:child_process'
import {readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {promisify} from 'node:util'
import t from 'tap'
import {copyExample, hasLines} from '../rig/example.ts'
import {openRig} from '../rig/rig.ts'

t.test('orders: a shop orders from a stock, and both end by themselves', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'orders')
  const run = rig.pillion(['run', '-f', folder])
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.text, '')
  hasLines(t, run, [
    'ℹ️  Validating config and starting app "stock"',
    'ℹ️  Validating config and starting app "shop"',
    `ℹ️  Writing log files to directory : ${folder}/shop/.dapr/logs`,
    '== APP - stock == open; on the shelf: 3 apple, 2 pear, 1 melon',
    '== APP - shop == Ada gets 2 × apple',
    '== APP - shop == Cem wanted 2 × apple, but only 1 left',
    '== APP - shop == closed for today',
    'Exited App successfully'
  ])
  t.same(await rig.leftovers(), [])
})

t.test('orders: Ctrl-C in between ends it with 0', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-f', (await copyExample(rig, 'orders')).folder])
  await run.waitForLine('== APP - shop == Ada gets')
  run.signalGroup('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('orders: what npm start says to try next is there', async t => {
  const root = join(import.meta.dirname, '../..')
  const {stdout} = await promisify(execFile)('npm', ['run', 'poststart', '--silent'], {cwd: root})
  const [, next = '', page = ''] = /npx pillion run -f (\S+) [^]*?\n {2}(\S+\.md)/.exec(stdout) ?? []
  const [file = ''] = /[\w/]+\.mjs/.exec(stdout) ?? []
  for (const path of [join(next, 'dapr.yaml'), file, page]) t.ok(statSync(join(root, path)).isFile(), path)
  t.match(readFileSync(join(root, file), 'utf8'), 'PEAR')
})

t.test('assistant: a model calls a tool of the app, from recorded answers', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'assistant')
  const run = rig.pillion(['run', '-f', folder])
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.text, '')
  hasLines(t, run, [
    '== APP - assistant == > Can I have a pear?',
    '== APP - assistant == (count: pear)',
    '== APP - assistant == Yes, there are 2 pears: take one.',
    '== APP - assistant == > And an apple?',
    '== APP - assistant == (count: apple)',
    '== APP - assistant == I am sorry, there is no apple left.'
  ])
})

t.test('cart: five pens at the same time are all there, and a reminder comes when nobody returns', async t => {
  const rig = await openRig(t)
  const {folder} = await copyExample(rig, 'cart')
  const run = rig.pillion(['run', '-f', folder])
  await run.waitForLine('== APP - shop == Ada has 5 pens in her cart')
  await run.waitForLine('== APP - shop == Cem takes 2 pears home')
  const at = ['--run-file', folder]
  t.match(await rig.run(['actors', ...at]), {code: 0, stdout: /\nCart +carts +2 +0 +0 +1 +in (?:19m|20m)/})
  t.match(await rig.run(['reminders', 'list', ...at]), {code: 0, stdout: /Cart\/Ada\/idle/})
  t.match(await rig.run(['skip', '20m', ...at]), {code: 0})
  await run.waitForLine('== APP - carts == Ada has left a cart behind: 5 × pen')
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})
