import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const overlay = (apps: readonly object[], more: object = {}): string => JSON.stringify({...more, apps})

/** The value of a variable in the environment of an app. */
const valueOf = async (rig: Rig, id: string, name = 'V'): Promise<string | undefined> =>
  (await rig.driven(id)).env[name]

t.test('the first file names the run; an edit of any file changes it', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', env: {V: 'base'}}, {appID: 'stock'}])
  await rig.write({'mine/me.yaml': overlay([{appID: 'shop', env: {V: 'mine'}}]), 'last.yaml': overlay([])})
  const run = rig.pillion(['run', '-f', '.', '-f', 'mine/me.yaml', '--run-file', 'last.yaml', '--watch'])
  t.equal(await valueOf(rig, 'shop'), 'mine')
  await rig.driven('stock')
  await run.waitForLine('Writing log files', {nth: 2})
  const {stdout} = await rig.run(['list', '-o', 'json'])
  t.match(JSON.parse(stdout), [{appId: 'shop', runTemplatePath: `${rig.folder}/dapr.yaml`}, {appId: 'stock'}])
  await rig.write({'mine/me.yaml': overlay([{appID: 'shop', env: {V: 'edited'}}])})
  t.equal(await valueOf(rig, 'shop'), 'edited')
  await rig.write({'last.yaml': overlay([{appID: 'shop', env: {V: 'last'}}])})
  t.equal(await valueOf(rig, 'shop'), 'last')
  await rig.write({'mine/me.yaml': 'apps: [{appID: shop, appPort: x}]'})
  await run.waitForLine('mine/me.yaml:1:31', {stream: 'stderr'})
  t.match(run.stderr.text, /the edited template has a mistake, so nothing was changed/)
  t.match(await rig.run(['stop', '-f', 'mine/me.yaml']), {stderr: /couldn't find apps with run file/})
  t.match(await rig.run(['stop', '-f', 'dapr.yaml']), {code: 0, stdout: /stopped successfully/})
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('up takes several files, and so does validate; a mistake has its place in its file', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', env: {V: 'base'}}])
  await rig.write({
    'me.yaml': overlay([{appID: 'shop', env: {V: 'mine'}}]),
    'bad.yaml': 'apps:\n  - appID: shop\n    restart: never\n'
  })
  const run = rig.pillion(['up', '-f', '.', '-f', 'me.yaml'])
  t.equal(await valueOf(rig, 'shop'), 'mine')
  t.match(await rig.run(['down']), {code: 0})
  await run.exited
  t.match(await rig.run(['validate', '-f', '.', '-f', 'me.yaml']), {code: 0, stdout: '✅  dapr.yaml can run: 1 app\n'})
  const bad = await rig.run(['validate', '-f', '.', '-f', 'bad.yaml'])
  t.match(bad, {
    code: 1,
    stderr: /^bad\.yaml:3:14\n {4}restart: never\n {13}\^\^\^\^\^\nexpected no, on-failure or always/
  })
  t.match(await rig.run(['run', '-f', '.', '-f', 'dapr.yaml']), {code: 1, stderr: /--run-file names dapr\.yaml twice/})
  t.match(await rig.run(['run', '-f', '.', '-f', 'none.yaml']), {code: 1, stderr: /none\.yaml: no such file/})
})

t.test('interpolation: from the environment and --env; what is unset is said, what is required is refused', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', env: {V: '${WHO:-nobody} ${TYPED} ${NOT_SET}$${x}'}}], {}, {interpolate: true})
  const run = rig.pillion(['run', '-f', '.', '--env', 'TYPED=yes'], {env: {WHO: 'me', TYPED: 'no'}})
  t.equal(await valueOf(rig, 'shop'), 'me yes ${x}')
  await run.waitForLine('the variable NOT_SET is not set: it is taken as empty', {stream: 'stderr'})
  await run.end('SIGINT')
  await rig.template([{appID: 'shop', appPort: 1, env: {V: '${TYPED:?say who}'}}], {}, {interpolate: true})
  t.match(await rig.run(['run', '-f', '.']), {
    code: 1,
    stdout: '❌  Error getting apps from config file: the variable TYPED is not set: say who\n',
    stderr: /^dapr\.yaml:\d+:\d+\n.*\n +\^{17}\nset it: export TYPED=…, or --env TYPED=…\n$/
  })
  t.match(await rig.run(['validate', '--env', 'TYPED=x']), {code: 0})
  await rig.template([{appID: 'shop', env: {V: '${TYPED}'}, command: ['sh', '-c', 'echo ${HOME}']}])
  const {code, stderr} = await rig.run(['validate', '-o', 'json'])
  t.equal(code, 0, stderr)
  t.match(await rig.run(['validate']), {stderr: /\$\{TYPED\} stays as it is(?![^]*HOME)/})
})
