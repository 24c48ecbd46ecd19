/** The file of what waits, as a run finds it: on a full disk, damaged, newer, with 100,000 workflows in it. */
import {mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import {DatabaseSync} from 'node:sqlite'
import {join} from 'node:path'
import t from 'tap'
import {openHub, startIn} from '../rig/hub.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {SMALL_DISK, skipWithoutSmallDisk} from '../rig/small-disk.ts'

t.setTimeout(180_000)

/** Something else on the disk, which goes when the file `free` comes. */
const FILLER = `echo fills; while [ ! -e free ]; do sleep 0.05; done; rm "$DISK/filler"; echo freed; exec sleep 60`
const LARGE = 'x'.repeat(200_000)

const folderOf = (rig: Rig): string => join(rig.home, '.local/state/pillion')

/** The files of a template, whose run has ended. */
const workFiles = (rig: Rig): readonly string[] =>
  readdirSync(folderOf(rig)).filter(name => name.startsWith('work-') && !/-(?:wal|shm)$/.test(name))

t.test('a full disk: a start is refused, accepted work goes on', {skip: skipWithoutSmallDisk}, async t => {
  const rig = await openRig(t)
  const disk = join(rig.home, 'disk')
  mkdirSync(disk)
  const fills = `head -c 100000 /dev/zero > "$DISK/filler"; ${FILLER}`
  await rig.template([{appID: 'shop'}, {appID: 'filler', command: ['sh', '-c', fills], env: {DISK: disk}}])
  const env = {XDG_STATE_HOME: disk}
  const run = rig.start([...SMALL_DISK, disk, ...rig.program, 'run', '-f', '.'], {env})
  const shop = await rig.driven('shop')
  await run.waitForLine('fills')
  const url = '/v1.0/workflows/dapr'
  const start = async (id: number): ReturnType<typeof shop.fetch> =>
    shop.fetch(`${url}/order/start?instanceID=o-${id}`, {method: 'POST', body: LARGE})
  let accepted = 0
  let answer = await start(0)
  for (; answer.status === 202; answer = await start(accepted)) accepted++
  t.ok(accepted > 0 && accepted < 6, `${accepted} had room`)
  t.match(answer, {
    status: 500,
    body: /cannot be written: the disk is full\. Nothing of this was kept; make room, and try again/
  })
  t.match(await shop.fetch(`${url}/o-${accepted}`), {status: 404})
  for (let id = 0; id < accepted; id++)
    t.match(await shop.fetch(`${url}/o-${id}`), {status: 200, body: /"runtimeStatus":"PENDING"/})
  await rig.write({'filler/free': ''})
  await run.waitForLine('freed')
  t.match(await shop.fetch(`${url}/small/start?instanceID=small`, {method: 'POST'}), {status: 202})
  t.match(await shop.fetch(`${url}/small`), {status: 200})
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('a file that is damaged, or newer, is kept aside, and a new one is begun', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const begin = async (): Promise<ReturnType<Rig['pillion']>> => {
    const run = rig.pillion(['run', '-f', '.'])
    const shop = await rig.driven('shop')
    t.match(await shop.fetch('/v1.0/workflows/dapr/order/start?instanceID=o-1', {method: 'POST'}), {status: 202})
    return run
  }
  const end = async (run: ReturnType<Rig['pillion']>): Promise<void> => {
    t.match(await run.end('SIGINT'), {code: 0})
  }
  await end(await begin())
  const [name = ''] = workFiles(rig)
  const path = join(folderOf(rig), name)
  writeFileSync(path, 'no database'.repeat(1000))
  const damaged = await begin()
  await damaged.waitForLine(/work-.*\.db cannot be read: it is damaged\. It is kept as .*; a new file is begun/, {
    stream: 'stderr'
  })
  await end(damaged)
  const newer = new DatabaseSync(path)
  newer.exec('PRAGMA user_version = 99')
  newer.close()
  const next = await begin()
  await next.waitForLine(/cannot be read: it was written by a newer version of Pillion\. It is kept as/, {
    stream: 'stderr'
  })
  await end(next)
  t.equal(workFiles(rig).length, 3)
})

t.test('100,000 workflows that wait: the next run begins at once', async t => {
  const hub = await openHub(t)
  const {rig, run} = hub
  await rig.driven('shop')
  await startIn(hub, 'o-1')
  await run.end('SIGKILL')
  const database = new DatabaseSync(join(folderOf(rig), workFiles(rig)[0] ?? ''))
  database.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
    INSERT INTO instances SELECT n, app, 'o-' || n, execution, name, version, status, created, started, updated, input, output,
      customStatus, failure, parentApp, parentId, parentExecution, parentTask, turns, rounds, stall, trace, received
      FROM numbers, instances WHERE key = 1;
    INSERT INTO inbox (instance, kind, name, event)
      SELECT key, kind, inbox.name, event FROM instances, inbox WHERE key > 1 AND inbox.instance = 1;`)
  database.close()
  const second = rig.pillion(['run', '-f', '.'])
  await second.waitForLine('shop: 100000 workflows go on')
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/workflows/dapr/o-99999'), {status: 200, body: /"runtimeStatus":"PENDING"/})
  t.match(await rig.run(['workflow', 'list', '-o', 'ids']), {code: 0, stdout: /\no-99999\n$/})
  t.match(await second.end('SIGINT'), {code: 0})
})
