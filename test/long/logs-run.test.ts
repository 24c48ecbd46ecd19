import t from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const startTwo = async (rig: Rig): Promise<{run: Program; shop: Driven; stock: Driven}> => {
  await rig.template([{appID: 'shop'}, {appID: 'stock'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, stock] = [await rig.driven('shop'), await rig.driven('stock')]
  await run.waitForLine('Writing log files', {nth: 2})
  return {run, shop, stock}
}

/** Each line reaches the run before the next is written. */
async function talk(run: Program, shop: Driven, stock: Driven): Promise<void> {
  for (const [app, text, stream] of [
    [shop, 'one', 'stdout'],
    [stock, 'two: an Error', 'stderr'],
    [shop, 'three é', 'stdout'],
    [stock, 'four', 'stdout']
  ] as const) {
    await app.print(`${text}\n`, stream)
    await run.waitForLine(text)
  }
}

const ONE = '== APP - shop == one\n'
const TWO = '== APP - stock == two: an Error\n'
const THREE = '== APP - shop == three é\n'
const FOUR = '== APP - stock == four\n'

t.test('logs shows all apps of the run in their order, or those that are named', async t => {
  const rig = await openRig(t)
  const {run, shop, stock} = await startTwo(rig)
  await talk(run, shop, stock)
  const shown = async (...words: readonly string[]) => rig.run(['logs', ...words])
  t.same(await shown(), {code: 0, stdout: ONE + TWO + THREE + FOUR, stderr: ''})
  t.same(await shown('stock', 'shop'), {code: 0, stdout: ONE + TWO + THREE + FOUR, stderr: ''})
  t.same(await shown('stock'), {code: 0, stdout: TWO + FOUR, stderr: ''})
  t.same(await shown('stock', '-a', 'stock'), {code: 0, stdout: TWO + FOUR, stderr: ''})
  t.same(await shown('--tail', '3'), {code: 0, stdout: TWO + THREE + FOUR, stderr: ''})
  t.same(await shown('--tail', '0'), {code: 0, stdout: '', stderr: ''})
  t.same(await shown('--since', '1h'), {code: 0, stdout: ONE + TWO + THREE + FOUR, stderr: ''})
  t.same(await shown('--grep', '[Ee]rror|o'), {code: 0, stdout: ONE + TWO + FOUR, stderr: ''})
  t.same(await shown('shop', '--grep', 'é$'), {code: 0, stdout: THREE, stderr: ''})
  t.same(await shown('--grep', 'o', '--tail', '2'), {code: 0, stdout: TWO + FOUR, stderr: ''}, 'the last that match')
  t.same(await shown('--run-file', 'dapr.yaml', '--tail', '1'), {code: 0, stdout: FOUR, stderr: ''})
})

t.test('logs -t shows when each line came, --since takes such a time, and --log-as-json has all of it', async t => {
  const rig = await openRig(t)
  const before = Date.now()
  const {run, shop, stock} = await startTwo(rig)
  await talk(run, shop, stock)
  const {stdout, stderr} = await rig.run(['logs', '-t'])
  t.equal(stderr, '')
  const lines = stdout.split('\n').slice(0, -1)
  t.same(lines.map(line => `${line.slice(24)}\n`).join(''), ONE + TWO + THREE + FOUR)
  for (const line of lines) {
    const time = Date.parse(line.slice(0, 23).replace(' ', 'T'))
    t.ok(time >= before && time <= Date.now(), line)
  }
  const since = await rig.run(['logs', '--since', lines[2]?.slice(0, 23) ?? ''])
  t.ok(since.stdout.endsWith(THREE + FOUR) && !since.stdout.includes(ONE), since.stdout)

  const json = await rig.run(['logs', '--log-as-json'])
  const objects = json.stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as {readonly time: string})
  t.match(objects, [
    {app: 'shop', stream: 'stdout', line: 'one'},
    {app: 'stock', stream: 'stderr', line: 'two: an Error'},
    {app: 'shop', stream: 'stdout', line: 'three é'},
    {app: 'stock', stream: 'stdout', line: 'four'}
  ])
  t.same(Object.keys(objects[0] ?? {}), ['time', 'app', 'stream', 'line'])
  t.equal(new Date(objects[0]?.time ?? '').toISOString(), objects[0]?.time)
  await shop.exit(1)
  await run.waitForLine('exit status 1')
  t.match(
    (await rig.run(['logs', 'shop', '--log-as-json', '--tail', '1'])).stdout,
    '"stream":"status","line":"The App process'
  )
})

t.test('logs -f of all apps goes on to the end of the run; with --grep and --tail, too', async t => {
  const rig = await openRig(t)
  const {run, shop, stock} = await startTwo(rig)
  await talk(run, shop, stock)
  const all = rig.pillion(['logs', '-f'])
  const some = rig.pillion(['logs', '-f', '--grep', 'o', '--tail', '1'])
  await all.waitForLine('four')
  await some.waitForLine('four')
  await shop.print('fi')
  await stock.print('six\nseven o\n')
  await all.waitForLine('seven')
  await shop.print('ve o\n')
  await all.waitForLine('five')
  await some.waitForLine('five')
  await run.end()
  t.match(await all.exited, {code: 0})
  t.match(await some.exited, {code: 0})
  const expected =
    ONE + TWO + THREE + FOUR + '== APP - stock == six\n== APP - stock == seven o\n== APP - shop == five o\n'
  t.ok(all.stdout.text.startsWith(expected), all.stdout.text)
  t.ok(some.stdout.text.startsWith(`${FOUR}== APP - stock == seven o\n== APP - shop == five o\n`), some.stdout.text)
})

t.test('of a run that has ended the newest files are shown, app by app; they keep no times', async t => {
  const rig = await openRig(t)
  t.match(await rig.run(['logs']), {code: 1, stderr: /^❌ {2}nothing is running; single runs leave/})
  const {run, shop, stock} = await startTwo(rig)
  await talk(run, shop, stock)
  await run.end()
  const [ofShop, ofStock] = [await rig.run(['logs', 'shop']), await rig.run(['logs', 'stock'])]
  t.ok(ofShop.stdout.startsWith(ONE + THREE))
  t.same(await rig.run(['logs']), {code: 0, stdout: ofShop.stdout + ofStock.stdout, stderr: ''})
  t.same(await rig.run(['logs', 'stock', 'shop']), {code: 0, stdout: ofStock.stdout + ofShop.stdout, stderr: ''})
  t.same(await rig.run(['logs', '--grep', 'Error']), {code: 0, stdout: TWO, stderr: ''})
  const timed = await rig.run(['logs', '-t', '--grep', 'one|Error'])
  const blank = ' '.repeat(24)
  t.same(timed, {
    code: 0,
    stdout: blank + ONE + blank + TWO,
    stderr: '⚠  log files contain no times: lines that are only in files are shown app by app\n'
  })
  t.match(
    (await rig.run(['logs', '--log-as-json', '--grep', 'one'])).stdout,
    /^\{"time":null,"app":"shop","stream":null,"line":"one"\}\n$/
  )
})

const neither = (id: string, near: string): string =>
  `❌  neither a run nor dapr.yaml has an app "${id}"${near}\nIts apps: shop, stock [no-such-app]\n`

t.test('what is wrong with the words is said', async t => {
  const rig = await openRig(t)
  const {run, shop, stock} = await startTwo(rig)
  await talk(run, shop, stock)
  const wrong = async (...words: readonly string[]) => rig.run(['logs', ...words])
  t.match(await wrong('shop', 'stok'), {
    code: 1,
    stdout: '',
    stderr: /^❌ {2}couldn't find app id stok: did you mean "stock"\?\nRunning: shop, stock \[no-such-app\]\n$/
  })
  t.match(await wrong('aa'), {code: 1, stderr: "❌  couldn't find app id aa\nRunning: shop, stock [no-such-app]\n"})
  t.match(await wrong('--tail', '-1'), {
    code: 255,
    stderr: /^Error: invalid argument "-1" for "--tail" flag: expected a number of lines \(0 or more\) or "all"\n/
  })
  t.match(await wrong('--tail', 'constructor'), {code: 255, stderr: /^Error: invalid argument "constructor"/})
  t.match(await wrong('--grep', '('), {
    code: 255,
    stderr: /^Error: invalid argument "\(" for "--grep" flag: .*Unterminated group\n/
  })
  t.match(await wrong('--since', 'yesterday'), {code: 255, stderr: /^Error: invalid argument "yesterday"/})
  await run.end()
  t.match(await wrong('stok'), {code: 1, stderr: neither('stok', ': did you mean stock?')})
  t.match(await wrong('aa'), {code: 1, stderr: neither('aa', '')})
})

t.test('of a service with several versions the lines of the main one are sent, or of all', async t => {
  const rig = await openRig(t)
  const versions = ['1.0.0', '2.0.0'].map(version => ({appID: 'svc', version, appDirPath: version}))
  await rig.template(versions, {}, {managerPort: 0})
  const run = rig.pillion(['up'])
  const apps = [await rig.driven('svc'), await rig.driven('svc')]
  for (const app of apps) {
    await app.listen()
    await app.print(`of ${app.env['daeploy.version']}\n`)
    await run.waitForLine(`of ${app.env['daeploy.version']}`)
  }
  const socket = controlSocket(rig)
  for (const [query, expected] of [
    ['app=svc', ['of 1.0.0']],
    ['app=svc&version=2.0.0', ['of 2.0.0']],
    ['app=svc&version=*', ['of 1.0.0', 'of 2.0.0']],
    ['app=svc&version=*&from=0', ['of 1.0.0', 'of 2.0.0']]
  ] as const) {
    const {body} = await ask(socket, `/api/v1/logs?${query}`)
    t.same([...body.matchAll(/^of [\d.]+$/gm)].flat().toSorted(), expected, query)
  }
})

t.test('logs -f goes on when an edit of the template opens its app again, and shows apps that come', async t => {
  const rig = await openRig(t)
  const shop = {appID: 'shop'}
  await rig.template([shop])
  const run = rig.pillion(['up', '--watch'])
  const first = await rig.driven('shop')
  const followers = [
    rig.pillion(['logs', '-f']),
    rig.pillion(['logs', '-f', 'shop']),
    rig.pillion(['logs', '-f', 'shop', '-t']),
    rig.pillion(['attach'])
  ]
  await first.print('one\n')
  for (const each of followers) await each.waitForLine('one')
  await rig.template([{appID: 'stock'}, {...shop, dependsOn: ['stock']}])
  const [stock, second] = [await rig.driven('stock'), await rig.driven('shop')]
  await second.print('two\n')
  await stock.print('three\n')
  for (const each of followers) await each.waitForLine('two')
  for (const each of [followers[0], followers[3]]) await each?.waitForLine('three')
  await rig.template([{appID: 'stock'}])
  for (const each of followers.slice(1, 3)) t.match(await each.exited, {code: 0}, 'its app has left')
  await stock.print('four\n')
  for (const each of [followers[0], followers[3]]) await each?.waitForLine('four')
  run.signal('SIGTERM')
  for (const each of followers) {
    t.match(await each.exited, {code: 0})
    for (const text of ['one', 'two', 'three', 'four'])
      t.ok(each.stdout.lines.filter(line => line.endsWith(` ${text}`)).length <= 1, text)
  }
})

t.test('logs -f of one app shows the instance that an edit of the template adds, each line once', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['up', '--watch'])
  const first = await rig.driven('shop')
  const follower = rig.pillion(['logs', '-f', 'shop'])
  await first.print('one\n')
  await follower.waitForLine('== APP - shop == one')
  await rig.template([{appID: 'shop', replicas: 2}])
  const second = await rig.driven('shop')
  await second.print('two\n')
  await follower.waitForLine('== APP - shop.2 == two')
  run.signal('SIGTERM')
  t.match(await follower.exited, {code: 0})
  for (const text of ['one', 'two'])
    t.equal(follower.stdout.lines.filter(line => line.endsWith(` ${text}`)).length, 1, text)
})

t.test('of a run that has ended the lines of all instances of an app are shown', async t => {
  const rig = await openRig(t)
  const command = ['sh', '-c', 'echo "at $APP_PORT"; exec sleep 600']
  await rig.template([{appID: 'shop', autoPort: true, replicas: 2, command}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('at ', {nth: 2})
  const living = await rig.run(['logs', 'shop', '--grep', '^at '])
  await run.end()
  const all = living.stdout.split('\n').toSorted()
  t.equal(all.length, 3, living.stdout)
  for (const words of [[], ['shop']])
    t.same((await rig.run(['logs', ...words, '--grep', '^at '])).stdout.split('\n').toSorted(), all)
  t.match((await rig.run(['logs', 'shop.2'])).stdout, /^== APP - shop\.2 == at \d+\n/)
  t.notMatch((await rig.run(['logs', 'shop.1'])).stdout, 'shop.2')
})
