import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a command that does not exist is said by the shell, and the run goes on', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock'}, {appID: 'shop', command: ['nodee', 'app.mjs']}])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  t.match(await run.waitForLine('== APP - shop == sh: 1: exec: nodee: not found'), /./)
  await run.waitForLine('The App process exited with error code: exit status 127')
  await run.waitForLine(/nodee.*not found|PATH/, {stream: 'stderr'})
  await stock.exit(0)
  t.match(await run.exited, {code: 1})
})

t.test('an entry without a command is a sidecar alone', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'ide', command: []}, {appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await run.waitForLine('⚠  No application command found for app "ide" present in dapr.yaml')
  const {http} = await run.ports('ide')
  t.match(await shop.fetch(`http://127.0.0.1:${http}/v1.0/metadata`), {status: 200})
  await shop.exit(0)
  t.match(await run.end(), {code: 0})
})

t.test('flags that belong into the template are named on stdout and ignored', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.', '--dapr-http-port', '3500', '--app-id', 'x'])
  await rig.driven('a')
  await run.waitForLine('Writing log files')
  t.equal(
    run.stdout.lines[0],
    '⚠  The following flags are ignored when using --run-file and should be configured in the run file instead: app-id, dapr-http-port'
  )
})

t.test('where too few files may be open, a run says so and fails, without a stack trace', async t => {
  const rig = await openRig(t)
  await rig.template(['a', 'b', 'c'].map(appID => ({appID, command: ['true']})))
  // what is opened last differs: code, a listener, a folder
  for (const limit of [23, 40, 56]) {
    const limited = ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh']
    const run = rig.start([...limited, ...rig.program, 'run', '-f', '.'])
    t.same(await run.exited, {code: 1, signal: null})
    t.match(run.stderr.text + run.stdout.text, /❌ .*EMFILE: too many open files|❌ .*\n.*EMFILE: too many open files/)
    t.notMatch(run.stderr.text, /^ {4}at /m)
  }
})

t.test('words of 100,000 letters hold up nothing, also while another run has an app of the same id', async t => {
  const rig = await openRig(t)
  const long = 'a'.repeat(100_000)
  const command = ['sh', '-c', `echo up; echo ${long} >&2; exec sleep 600`]
  for (const folder of ['one', 'two']) {
    const env = {LONG: long, PLACE: `http://localhost:5000/${long}`}
    await rig.write({
      [`${folder}/dapr.yaml`]: JSON.stringify({version: 1, apps: [{appID: 'a', command, env, appDirPath: '.'}]})
    })
    const begin = performance.now()
    await rig.pillion(['run', '-f', '.'], {folder}).waitForLine('== APP - a == up')
    t.ok(performance.now() - begin < 15_000, 'in linear time')
  }
})
