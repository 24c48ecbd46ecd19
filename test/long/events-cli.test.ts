import t from 'tap'
import {misfitOf} from '../rig/api-schema.ts'
import {openRig} from '../rig/rig.ts'

interface Told {
  readonly id?: number
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

const read = (text: string): readonly Told[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Told)

/** When it was, and what. */
const TIMED_EXIT = /^[\d:.]{12} {2}"job" exited with code 2 after \S+ m?s \(pillion why 1\)$/m

t.test('events tells what happens, a line for each event, until the run ends', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', autoPort: true},
    {appID: 'job', restart: 'on-failure'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, job] = [await rig.driven('shop'), await rig.driven('job')]
  await job.exit(2)
  await run.waitForLine('exit status 2')
  t.match((await rig.run(['events'])).stdout, TIMED_EXIT, 'what was before the first reader, with its time')
  const following = rig.pillion(['events', '-f', '-o', 'ndjson'])
  const people = rig.pillion(['events', '-f'])
  await following.waitForLine(/"hello"/)
  await people.waitForLine(/^job /)
  await shop.listen()
  await people.waitForLine(/^[\d:.]{12} {2}shop {2}ready$/)
  await (await rig.driven('job')).exit(3)
  await people.waitForLine(/^[\d:.]{12} {2}"job" exited with code 3 after \S+ m?s \(pillion why 2\)$/)
  await following.waitForLine(/"type":"death"/)
  t.match(await rig.run(['fault', 'shop', 'job', '--abort']), {code: 0})
  await people.waitForLine(/^[\d:.]{12} {2}fault 1 is on: shop → job: the caller's connection is reset$/)

  const kept = read((await rig.run(['events', '-o', 'ndjson'])).stdout)
  const ids = kept.map(({id = 0}) => id)
  t.same(
    ids,
    ids.toSorted((a, b) => a - b)
  )
  const ready = kept.find(({type, data}) => type === 'app' && data['isReady'] === true && data['id'] === 'shop')
  const later = read((await rig.run(['events', '-o', 'ndjson', '--after', String(ready?.id)])).stdout)
  const expected = kept.filter(({id = 0}) => id > (ready?.id ?? 0))
  t.same(
    later.slice(0, expected.length), // the app that exited may start meanwhile
    expected,
    'after an event: those that came later'
  )
  const some = read((await rig.run(['events', '-o', 'ndjson', '--types', 'death', '--app', 'job'])).stdout)
  t.match(some, [
    {type: 'death', data: {app: 'job', exit: 'exited with code 2'}},
    {type: 'death', data: {app: 'job', exit: 'exited with code 3'}}
  ])
  const lost = read((await rig.run(['events', '-o', 'ndjson', '--after', '12'])).stdout)
  t.match(lost, [{type: 'reset', data: {apps: [{id: 'shop'}, {id: 'job'}]}}])

  run.signal('SIGTERM')
  t.same(await following.exited, {code: 0, signal: null})
  t.same(await people.exited, {code: 0, signal: null})
  const all = read(following.stdout.text.replaceAll(/^\n/gm, ''))
  t.equal(all.at(-1)?.type, 'bye')
  for (const event of all) t.equal(misfitOf('events', event), '', JSON.stringify(event))
  t.match(people.stdout.text, /the run has ended\n$/)
})

t.test('readers that leave, sleep or cannot write harm nobody', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  await shop.answer({body: '{}'})
  const {http} = await run.ports('shop')
  const words = rig.program.map(word => `'${word}'`).join(' ')
  const head = rig.start(['sh', '-c', `${words} events -f -o ndjson | head -n 1`])
  await head.waitForLine(/^\{/)
  while (!head.hasExited) await shop.print('news\n') // it leaves with what it cannot write
  t.same(await head.exited, {code: 0, signal: null}, head.stderr.text)
  t.match(read(head.stdout.text), [{type: 'hello'}])

  const full = rig.start(['sh', '-c', `${words} events -f -o ndjson > /dev/full`])
  t.same(await full.exited, {code: 1, signal: null})
  t.match(full.stderr.text, /^cannot write to stdout: no space left on device\n$/)

  const asleep = rig.start([
    'sh',
    '-c',
    `${words} events -f -o ndjson --types lines | (read first; echo begun >&2; exec sleep 600)`
  ])
  await asleep.waitForLine('begun', {stream: 'stderr'})
  // more than all buffers between here and there hold
  for (let round = 0; round < 20; round++) await shop.print(`${'x'.repeat(1000)}\n`.repeat(300))
  const {status} = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/`)
  t.equal(status, 200)
  t.match(await rig.run(['ps']), {code: 0, stdout: /^shop +ready/m})
  asleep.signalGroup('SIGKILL')
  t.match(await run.end(), {code: 0})
})

t.test('mistakes', async t => {
  const rig = await openRig(t)
  const usage: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['shop'], /events takes no arguments, and got shop/],
    [['--types', 'deaths'], /there are no events "deaths"\. Did you mean death\?/],
    [['--after', 'x'], /invalid argument "x" for "--after" flag/],
    [['-o', 'yaml'], /valid values are text, ndjson/]
  ]
  for (const [args, message] of usage)
    t.match(await rig.run(['events', ...args]), {code: 255, stderr: message}, args.join(' '))
  t.match(await rig.run(['events']), {code: 1, stderr: /there is no run\nNothing is running: "pillion up -d" starts/})
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  t.match(await rig.run(['events', '--app', 'shpo']), {code: 1, stderr: /no app "shpo"\nDid you mean "shop"\?/})
})
