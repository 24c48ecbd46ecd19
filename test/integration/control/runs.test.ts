import {getEventListeners} from 'node:events'
import {chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createServer, type Server} from 'node:http'
import t, {type Test} from 'tap'
import {runSockets, send, text} from '../../../src/control/ask.ts'
import {findRuns} from '../../../src/control/client.ts'
import {existingFolders, usableFolder} from '../../../src/control/folder.ts'
import {LeaseSearch} from '../../../src/control/sidecar-leases.ts'
import type {RunListing, SidecarAddress} from '../../../src/control/messages.ts'
import {register, type Registration} from '../../../src/control/server.ts'

const folderOf = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'p-'))
  t.teardown(() => {
    rmSync(folder, {recursive: true, force: true})
  })
  return folder
}

const listing = (run: string, startedAt = 1): RunListing => ({
  version: '1',
  run,
  pid: process.pid,
  startedAt,
  templateFile: '/shop/dapr.yaml',
  templateName: 'shop',
  apps: []
})

async function* texts(...all: readonly string[]): AsyncGenerator<string> {
  yield* all
}

const managerApiOf = ({run, startedAt}: RunListing): SidecarAddress => ({
  run,
  startedAt,
  hosts: ['127.0.0.1'],
  port: 1,
  key: 'k'
})

const registered = async (
  t: Test,
  folder: string,
  told: RunListing,
  stopped: string[] = [],
  closing = new AbortController().signal
): Promise<Registration> => {
  const registration = await register(
    folder,
    {marker: told.run, graceMs: 5000},
    {
      list: () => told,
      stop: () => stopped.push('run'),
      stopApp: async id => stopped.push(id) > 0 && id === 'order',
      restartApp: async id => ({order: '', sidecar: 'it has no command of ours'})[id],
      logs: (id, {tail, isFollowed}) =>
        id === 'order' ? texts(`tail ${tail}\n`, `followed ${isFollowed}\n`) : undefined,
      runLogs: (ids, {tail}) => (ids.includes('zzz') ? undefined : texts(`${ids.join()} ${tail}\n`)),
      leaseSidecar: id => (id === 'order' ? {told: managerApiOf(told), closing} : undefined),
      services: () => [],
      assign: () => '',
      remove: async () => '',
      notifications: () => ({})
    }
  )
  t.teardown(() => {
    registration.withdraw()
  })
  return registration
}

t.test('runs are found by asking their sockets, oldest first', async t => {
  const folder = folderOf(t)
  await registered(t, folder, listing('b'.repeat(32), 2))
  await registered(t, folder, listing('a'.repeat(32), 1))
  const runs = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.same(
    runs.map(run => run.listing),
    [listing('a'.repeat(32), 1), listing('b'.repeat(32), 2)]
  )
})

t.test('a run that is withdrawn is found no more and leaves nothing behind', async t => {
  const folder = folderOf(t)
  const registration = await registered(t, folder, listing('c'.repeat(32)))
  registration.withdraw()
  t.same(await findRuns({PILLION_RUNTIME_DIR: folder}), [])
  t.notOk(existsSync(join(folder, 'cccccccc')))
})

t.test('an app is stopped by its id, and an unknown one is said to be unknown', async t => {
  const folder = folderOf(t)
  const stopped: string[] = []
  await registered(t, folder, listing('d'.repeat(32)), stopped)
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.equal(await run?.stopApp('order'), true)
  t.equal(await run?.stopApp('zzz'), false)
  t.same(stopped, ['order', 'zzz'])
})

t.test('a folder that is not there holds no runs; one open to others is refused by name', async t => {
  const folder = folderOf(t)
  t.same(await findRuns({PILLION_RUNTIME_DIR: join(folder, 'none')}), [])
  chmodSync(folder, 0o755)
  await t.rejects(findRuns({PILLION_RUNTIME_DIR: folder}), {
    message: `${folder} must be a folder of yours with mode 0700`
  })
  t.throws(() => usableFolder([folder]), {message: /mode 0700/})
})

/** Which folders are found, and what is told. */
const lookIn = (folders: readonly string[]): {found: readonly string[]; told: readonly string[]} => {
  const told: string[] = []
  return {found: existingFolders(folders, text => told.push(text)), told}
}

t.test('a folder open to others is skipped, and named, as long as another one can be used', async t => {
  const [open, own, other] = [folderOf(t), folderOf(t), folderOf(t)]
  chmodSync(open, 0o755)
  chmodSync(other, 0o770)
  const none = join(own, 'none')
  const skipped = `${open} must be a folder of yours with mode 0700: it is skipped`
  t.same(lookIn([own, open]), {found: [own], told: [skipped]})
  t.same(lookIn([open, own]), {found: [own], told: [skipped]})
  t.same(lookIn([none, open]), {found: [], told: [skipped]}, 'one that does not exist yet can be used')
  t.throws(() => lookIn([open, other]), {message: `${open} must be a folder of yours with mode 0700`})
  t.equal(usableFolder([open, own]), own)
  t.equal(usableFolder([open, none]), none, 'it is made')
  t.throws(() => usableFolder([open, other]), {message: /mode 0700/})
})

t.test('a folder whose path is too long for a socket is refused', async t => {
  t.throws(() => usableFolder([join(folderOf(t), 'x'.repeat(90))]), {message: /too long for a socket/})
})

t.test('a request whose target is no URL is refused as such, and not as a failure of the run', async t => {
  const folder = folderOf(t)
  const run = 'd'.repeat(32)
  await registered(t, folder, listing(run))
  const [socket] = await runSockets({PILLION_RUNTIME_DIR: folder})
  for (const target of ['//', '//?id=order', 'http://[::1']) {
    const answer = await send(socket?.path ?? '', 'GET', target)
    t.equal(answer.statusCode, 400, target)
    t.equal(await text(answer), 'invalid request target')
  }
})

t.test('an app is restarted, or it is said why not', async t => {
  const folder = folderOf(t)
  await registered(t, folder, listing('e'.repeat(32)))
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.equal(await run?.restartApp('order'), '')
  t.equal(await run?.restartApp('sidecar'), 'it has no command of ours')
  t.equal(await run?.restartApp('zzz'), undefined)
})

t.test('a log comes in its pieces', async t => {
  const folder = folderOf(t)
  await registered(t, folder, listing('f'.repeat(32)))
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  const read = async (id: string, tail: number, isFollowed: boolean): Promise<string | undefined> => {
    const log = await run?.logs(id, {tail, since: 0, isFollowed, version: ''})
    if (log === undefined) return undefined
    let whole = ''
    for await (const text of log) whole += text
    return whole
  }
  t.equal(await read('order', 7, true), 'tail 7\nfollowed true\n')
  t.equal(await read('order', -1, false), 'tail -1\nfollowed false\n')
  t.equal(await read('zzz', -1, false), undefined)
})

t.test("the door of the oldest other run is lent until it closes; the own run's is not", async t => {
  const folder = folderOf(t)
  const [own, old, young] = ['1', '2', '3'].map(digit => digit.repeat(32)) as [string, string, string]
  const closing = new AbortController()
  await registered(t, folder, listing(own, 1))
  await registered(t, folder, listing(young, 3))
  const registration = await registered(t, folder, listing(old, 2), [], closing.signal)
  const search = new LeaseSearch({PILLION_RUNTIME_DIR: folder}, own)
  const {sidecar} = await search.find('order')
  t.equal(sidecar?.told.run, old)
  closing.abort()
  await sidecar?.closed
  void registration.withdraw()
  const next = await search.find('order')
  t.equal(next.sidecar?.told.run, young)
  next.sidecar?.release()
  t.match(await search.find('zzz'), {sidecar: undefined, others: []})
})

t.test('whoever gives a door back leaves nothing at the run that lent it', async t => {
  const folder = folderOf(t)
  const [own, other] = ['1', '2'].map(digit => digit.repeat(32)) as [string, string]
  const closing = new AbortController()
  const leased = (): number => getEventListeners(closing.signal, 'abort').length
  await registered(t, folder, listing(other), [], closing.signal)
  const search = new LeaseSearch({PILLION_RUNTIME_DIR: folder}, own)
  for (let i = 0; i < 5; i++) {
    const {sidecar} = await search.find('order')
    t.equal(leased(), 1)
    sidecar?.release()
    while (leased() > 0) await new Promise(setImmediate)
  }
})

/** A run of another version, or one that is frozen. */
const foreignListener = async (t: Test, folder: string, answer: string): Promise<Server> => {
  const home = join(folder, '99999999')
  mkdirSync(home)
  const server = createServer((request, response) => {
    if (answer === '') return // it is frozen
    if (request.url === '/run') response.end(answer)
    else response.writeHead(501).end('0.0.1')
  })
  await new Promise<void>(resolve => server.listen(join(home, 'socket'), resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}

t.test('an older run is told what it lacks, and what it says in another way is never misread', async t => {
  const folder = folderOf(t)
  await foreignListener(
    t,
    folder,
    JSON.stringify({version: '0.0.1', pid: 7, apps: [{appId: 'a', httpPort: '3500'}], more: 1})
  )
  const [run] = await findRuns({PILLION_RUNTIME_DIR: folder})
  t.match(run?.listing, {version: '0.0.1', pid: 7, startedAt: 0, templateFile: ''})
  t.match(run?.listing.apps, [{appId: 'a', httpPort: 0, command: '', appLogPath: ''}])
  await t.rejects(async () => run?.logs('a', {tail: -1, since: 0, isFollowed: false, version: ''}), {
    message: 'a single run (pid 7) is of version 0.0.1, which cannot show logs',
    explanation: 'Stop it, and start it again with this version.'
  })
  await t.rejects(async () => run?.restartApp('a'), {message: /of version 0\.0\.1, which cannot restart apps$/})
  t.same(await new LeaseSearch({PILLION_RUNTIME_DIR: folder}, 'x').find('a'), {sidecar: undefined, others: []})
})

t.test('a run that does not answer is asked for a door once, and not again at once', async t => {
  const folder = folderOf(t)
  const server = await foreignListener(t, folder, '')
  let asked = 0
  server.on('request', () => asked++)
  await registered(t, folder, listing('8'.repeat(32)))
  const search = new LeaseSearch({PILLION_RUNTIME_DIR: folder}, 'x', 50)
  for (let i = 0; i < 3; i++) {
    const {sidecar} = await search.find('order')
    t.equal(sidecar?.told.run, '8'.repeat(32))
    sidecar?.release()
  }
  t.equal(asked, 1)
})
