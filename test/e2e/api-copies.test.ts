import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Copies, Dashboard} from '../../src/model/api.generated.ts'
import {ownStart} from '../../src/control/starting-runs.ts'
import {isSuspended} from '../../src/platform/process-table.ts'
import {misfit} from '../rig/api-schema.ts'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Asks the API with the token of an address. */
const asked = async (url: URL, path: string, method = 'GET'): Promise<Response> =>
  fetch(new URL(`/api/v1${path}`, url), {method, headers: {authorization: `Bearer ${url.hash.replace(/.*=/, '')}`}})

t.test('the page of a run knows the other copies, and opens the pages of those alone', async t => {
  const rig = await openRig(t)
  const template = JSON.stringify({version: 1, apps: [{appID: 'shop', appDirPath: '.', command: ['sleep', '300']}]})
  await writeWorktrees(rig, {'dapr.yaml': template}, ['pr', 'idle'])
  await rig.write({'main/.git/worktrees/pr/HEAD': 'ref: refs/heads/fix/cart\n', 'stranger/dapr.yaml': template})
  const [main, pr, stranger] = ['main', 'pr', 'stranger'].map(folder => rig.pillion(['up'], {folder}))
  for (const folder of ['main', 'pr', 'stranger'])
    t.match(await rig.run(['wait', '--for', 'ready'], {folder}), {code: 0})
  const opened = async (...flags: readonly string[]): Promise<URL> =>
    new URL(/http:\S+/.exec((await rig.run(['dashboard', '--no-open', ...flags], {folder: 'main'})).stdout)?.[0] ?? '')
  const page = await opened()
  const {copies} = (await (await asked(page, '/copies')).json()) as Copies
  t.equal(misfit('Copies', {copies}), '')
  t.match(
    copies.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    [
      {name: 'idle', branch: '', state: 'stopped', pid: 0, isThis: false},
      {name: 'main', state: 'running', pid: main?.pid, isThis: true},
      {name: 'pr', branch: 'fix/cart', folder: join(rig.folder, 'pr'), state: 'running', pid: pr?.pid, isThis: false}
    ]
  )
  const start = join(rig.runtimeDir, `starting-${process.pid}`)
  writeFileSync(start, JSON.stringify(ownStart(join(rig.folder, 'idle/dapr.yaml'))))
  const {copies: begun} = (await (await asked(page, '/copies')).json()) as Copies
  t.equal(misfit('Copies', {copies: begun}), '')
  t.match(
    begun.find(({name}) => name === 'idle'),
    {state: 'starting', pid: 0}
  )
  for (let times = 0; times < 2; times++) {
    const answer = await asked(page, `/copies/${pr?.pid}/dashboard`, 'POST')
    const {port, token} = (await answer.json()) as Dashboard
    const other = (await (await asked(new URL(`http://127.0.0.1:${port}/#t=${token}`), '/copies')).json()) as Copies
    t.equal(other.copies.find(({isThis}) => isThis)?.name, 'pr')
  }
  const looking = await opened('--read-only')
  t.equal((await asked(looking, '/copies')).status, 200)
  t.equal((await asked(looking, `/copies/${pr?.pid}/dashboard`, 'POST')).status, 403)
  for (const pid of [main?.pid, stranger?.pid, 0, 1]) {
    const refused = await asked(page, `/copies/${pid}/dashboard`, 'POST')
    t.match({status: refused.status, body: await refused.text()}, {status: 404, body: `There are: ${pr?.pid}`})
  }
  pr?.signal('SIGSTOP')
  while (!isSuspended(pr?.pid ?? 0)) await new Promise(setImmediate)
  const silent = await asked(page, `/copies/${pr?.pid}/dashboard`, 'POST')
  t.match({status: silent.status, body: await silent.json()}, {status: 409, body: {hint: /^It is suspended/}})
  pr?.signal('SIGKILL')
  await pr?.gone()
  t.match(await (await asked(page, `/copies/${pr?.pid}/dashboard`, 'POST')).json(), {hint: 'No other copy runs.'})
  // its branch changes while it runs
  writeFileSync(join(rig.folder, 'main/.git/HEAD'), 'ref: refs/heads/later\n')
  const later = (await (await asked(page, '/copies')).json()) as Copies
  t.match(
    later.copies.find(({isThis}) => isThis),
    {branch: 'later'}
  )
})
