import {once} from 'node:events'
import {rename} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type TemplateApp} from '../rig/rig.ts'

t.test('a watched app that has crashed waits for the next change; callers hear at once what happened', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, watch: true}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.print('no pears left\n', 'stderr')
  await stock.exit(3)
  await run.waitForLine(/"stock" exited with code 3 .*, waits for a save$/, {stream: 'stderr'})
  const refused = await shop.fetch('/v1.0/invoke/stock/method/pears')
  t.equal(refused.status, 500)
  t.match(refused.body, /\(\\?"stock\\?" exited with code 3 at \d\d:\d\d:\d\d and waits for a save: no pears left\)/)
  await rig.write({'stock/app.js': 'pears'})
  const again = await rig.driven('stock')
  const call = shop.fetch('/v1.0/invoke/stock/method/pears')
  await again.answer({body: 'a pear'})
  await again.listen()
  t.match(await call, {status: 200, body: 'a pear'})
  t.match(await run.waitForLine('stock: reloaded'), /, 0 lost$/)
})

t.test('a run does not end while an app of it is watched', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'job', watch: ['*.txt']}])
  const run = rig.pillion(['run', '-f', '.'])
  const first = await rig.driven('job')
  await first.exit(0)
  await run.waitForLine('"job" waits for a save', {stream: 'stderr'})
  await rig.write({'job/other.js': '1', 'job/in.txt': '1'})
  const second = await rig.driven('job')
  t.not(second.pid, first.pid)
  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('--watch watches every app that does not say otherwise, and restarts that one alone', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true},
    {appID: 'b', watch: false}
  ])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  const ports = await run.ports('a')
  await a.listen()
  await rig.write({'b/b.js': '1', 'a/a.js': '1'})
  const again = await rig.driven('a')
  await again.listen()
  await run.waitForLine('a: reloaded')
  t.equal(again.env['DAPR_HTTP_PORT'], ports.http.toString(), 'its sidecar is where it was')
  t.equal(again.env['APP_PORT'], a.env['APP_PORT'])
  t.match(await b.fetch('/v1.0/metadata'), {status: 200}, 'the other one lives on')
  t.equal(run.stderr.text, '')
})

t.test('an app that comes to the template with a taken port is tried again at the next save', async t => {
  const rig = await openRig(t)
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const {port} = holder.address() as AddressInfo
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('a')
  await run.waitForLine('Writing log files')
  const apps = [{appID: 'a'}, {appID: 'b', daprHTTPPort: port}]
  await rig.template(apps)
  await run.waitForLine(`Port ${port} is not available`, {stream: 'stderr'})
  await new Promise(resolve => holder.close(resolve))
  await rig.template(apps)
  await rig.driven('b')
  t.same(await run.ports('b').then(({http}) => http), port)
})

t.test('a single app is watched, too', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '--app-id', 'one', '--watch', '--', ...rig.drivenCommand])
  await rig.driven('one')
  await run.waitForLine("You're up and running!")
  await rig.write({'app.js': '1'})
  await rig.driven('one')
  await run.waitForLine('ℹ️  one: reloaded in')
  t.match(await run.end(), {code: 0})
})

const app = (appID: string, wishes: object = {}): TemplateApp => ({appID, watch: false, ...wishes})

t.test('an edit of the template starts, stops and restarts the apps it is about, and leaves others alone', async t => {
  const rig = await openRig(t)
  await rig.write({'changes/first.env': 'COLOUR=red\n'})
  const changes = app('changes', {envFile: 'first.env', env: {SIZE: '1'}})
  await rig.template([app('stays'), app('goes'), changes])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const [stays, goes, before] = await Promise.all(['stays', 'goes', 'changes'].map(async id => rig.driven(id)))
  const {http} = await run.ports('changes')

  await rig.template([app('comes'), app('stays'), {...changes, env: {SIZE: '2'}}])
  const [comes, after] = await Promise.all([rig.driven('comes'), rig.driven('changes')])
  await goes?.closed
  await before?.closed
  t.match(after.env, {SIZE: '2', COLOUR: 'red', DAPR_HTTP_PORT: http.toString()})
  await run.waitForLine('Started Dapr with app id "comes"')
  t.match(await comes.fetch('/v1.0/metadata'), {status: 200})
  t.match(await stays?.fetch('/v1.0/metadata'), {status: 200})

  await run.waitForLine('changes: reloaded')
  await rig.write({'changes/first.env': 'COLOUR=blue\n'})
  t.match((await rig.driven('changes')).env, {SIZE: '2', COLOUR: 'blue'})

  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: stays\n    appDirPath: stays\n    restart: sometimes\n'})
  await run.waitForLine('the edited template has a mistake, so nothing was changed', {stream: 'stderr'})
  await run.waitForLine('restart: sometimes', {stream: 'stderr'})
  t.match(await comes.fetch('/v1.0/metadata'), {status: 200})
  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('restart --app-id goes the same way: calls wait, none is lost', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.listen()
  const inside = shop.fetch('/v1.0/invoke/stock/method/inside')
  const request = await stock.nextRequest()
  const restarted = rig.run(['restart', '--app-id', 'stock'])
  await request.reply({body: 'old'})
  t.match(await inside, {body: 'old'})
  const again = await rig.driven('stock')
  t.match(await restarted, {code: 0})
  const waiting = shop.fetch('/v1.0/invoke/stock/method/waiting')
  await again.answer({body: 'new'})
  await again.listen()
  t.match(await waiting, {status: 200, body: 'new'})
  t.match(await run.waitForLine('stock: reloaded'), /, 0 lost$/)
})

t.test('apps that wait for each other in a circle are named when the time is over', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, ready: {http: '/ready', timeout: '1s'}},
    {appID: 'b', autoPort: true}
  ])
  rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await b.listen()
  const boot = a.fetch('/v1.0/invoke/b/method/config')
  const request = await b.nextRequest()
  const back = await b.fetch('/v1.0/invoke/a/method/settings')
  t.equal(back.status, 500)
  t.match(back.body, /waited 1 s; .*the apps wait for each other: \\"a\\" → \\"b\\" → \\"a\\"/)
  await request.reply({body: 'at last'})
  t.match(await boot, {status: 200})
})

t.test('the end of a run ends a reload, whatever it waits for', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, watch: true}, {appID: 'shop'}])
  for (const moment of ['while calls end', 'while the new process starts']) {
    const run = rig.pillion(['run', '-f', '.'])
    const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
    await stock.listen()
    if (moment === 'while calls end') {
      void shop.fetch('/v1.0/invoke/stock/method/x').catch(() => undefined) // cut by the end of the run
      await stock.nextRequest()
    }
    await rig.write({'stock/app.js': moment})
    if (moment === 'while calls end') {
      const waits = shop.fetch('/v1.0/metadata') // a turn of the program, so that the change is seen or is not: both must end
      await waits
    } else await rig.driven('stock')
    t.match(await run.end(), {code: 0}, moment)
    t.notMatch(run.stderr.text, /Error/)
  }
  t.same(await rig.leftovers(), [])
})

t.test('a stop while two processes stand side by side ends both', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, watch: true, reload: 'overlap'}])
  const run = rig.pillion(['run', '-f', '.'])
  const old = await rig.driven('stock')
  await old.listen()
  await rig.write({'stock/app.js': '1'})
  const candidate = await rig.driven('stock')
  t.not(candidate.env['APP_PORT'], old.env['APP_PORT'])
  t.equal(candidate.env['DAPR_HTTP_PORT'], old.env['DAPR_HTTP_PORT'])
  t.match(await run.end(), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('a new process that does not come up leaves the old one where it is', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', autoPort: true, watch: true, reload: 'overlap'}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [old, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await old.answer({body: 'old'})
  await old.listen()
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {body: 'old'})
  await rig.write({'stock/app.js': 'syntax error'})
  const failing = await rig.driven('stock')
  await failing.exit(1)
  await run.waitForLine('the new process of "stock" exited with code 1: the old process continues', {stream: 'stderr'})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {body: 'old'})
  await rig.write({'stock/app.js': 'mended'})
  const mended = await rig.driven('stock')
  await mended.answer({body: 'new'})
  await mended.listen()
  await run.waitForLine('stock: reloaded')
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {body: 'new'})
})

t.test('an editor that saves by way of another file: the message names the one that was saved', async t => {
  const rig = await openRig(t)
  await rig.write({'shop/app.js': '1'})
  await rig.template([{appID: 'shop', watch: true}])
  const run = rig.pillion(['up'])
  await rig.driven('shop')
  await run.waitForLine('Writing log files')
  for (let i = 2; i < 5; i++) {
    await rig.write({'shop/a-new-one': i.toString()})
    await rename(join(rig.folder, 'shop/a-new-one'), join(rig.folder, 'shop/app.js'))
    t.match(await run.waitForLine('shop: reloaded', {nth: i - 1}), /\(app\.js\)/)
  }
})

t.test('restart after an edit of a template that the run does not follow says so', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const warning = /dapr\.yaml was edited after the run began, which does not follow it/
  for (const args of [['up'], ['up', '--watch']]) {
    const run = rig.pillion(args)
    await rig.driven('shop')
    await run.waitForLine('Writing log files')
    t.match(await rig.run(['restart', 'shop']), {code: 0, stderr: ''})
    await rig.driven('shop')
    await rig.template([{appID: 'shop', env: {EDITED: args.join(' ')}}])
    const {stderr} = await rig.run(['restart', 'shop'])
    if (args.length === 1) t.match(stderr, warning)
    else t.notMatch(stderr, warning)
    await rig.run(['down'])
    await run.exited
  }
})
