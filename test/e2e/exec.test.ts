import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

const PRINTS = 'console.log([process.cwd(), process.env.GREETING, process.argv[1]].join())'

t.test('a command has the folder, the environment and the sidecar of the app', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', env: {GREETING: 'good day'}}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files', {nth: 2})
  t.same(await rig.run(['exec', 'a', '--', 'node', '-e', PRINTS, '--', '--watch']), {
    code: 0,
    stdout: `${join(rig.folder, 'a')},good day,--watch\n`,
    stderr: ''
  })
  const calls =
    "fetch('http://127.0.0.1:' + process.env.DAPR_HTTP_PORT + '/v1.0/metadata').then(async answer => console.log((await answer.json()).id))"
  t.match(await rig.run(['exec', 'b', '--', 'node', '-e', calls]), {code: 0, stdout: 'b\n'})
})

t.test('it exits as the command does, reads what we are given, and passes signals on', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files')
  t.match(await rig.run(['exec', 'a', '--', 'sh', '-c', 'echo no >&2; exit 7']), {code: 7, stdout: '', stderr: 'no\n'})
  t.match(await rig.run(['exec', 'a', '--', 'sh', '-c', 'kill -KILL $$']), {code: 137})
  const cat = rig.pillion(['exec', 'a', '--', 'cat'])
  cat.stdin.end('as it is\n')
  t.match(await cat.exited, {code: 0})
  t.equal(cat.stdout.text, 'as it is\n')
  const waits = rig.pillion(['exec', 'a', '--', 'sh', '-c', "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done"])
  await waits.waitForLine('up')
  t.match(await waits.end(), {code: 9})
})

t.test('what is missing is said', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files', {nth: 2})
  t.match(await rig.run(['exec', 'a']), {code: 255, stderr: /exec needs the id of an app and a command/})
  t.match(await rig.run(['exec', 'x', '--', 'ls']), {code: 1, stderr: /x/})
  t.match(await rig.run(['exec', 'a', '--', 'no-such-program']), {
    code: 127,
    stderr: `❌  no program "no-such-program" is found from ${join(rig.folder, 'a')}\n`
  })
  t.match(await rig.run(['exec', 'a', '--', '']), {
    code: 127,
    stderr: `❌  no program "" is found from ${join(rig.folder, 'a')}\n`
  })
  await rig.write({'a/file.txt': ''})
  t.match(await rig.run(['exec', 'a', '--', './file.txt/x']), {code: 126, stderr: '❌  spawn ENOTDIR\n'})
  await rig.run(['stop', 'a'])
  t.match(await rig.run(['exec', 'a', '--', 'ls']), {code: 1, stderr: /"pillion start a" brings it back/})
})

t.test('an id with an @ is no version', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a@b', command: ['sleep', '600']}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files')
  t.match(await rig.run(['exec', 'a@b', '--', 'sh', '-c', 'echo $APP_ID']), {code: 0, stdout: 'a@b\n'})
  t.match(await rig.run(['restart', 'a@b']), {code: 0})
  t.match(await rig.run(['logs', 'a@b']), {code: 0})
  t.match(await rig.run(['why', 'a@b']), {code: 0})
  t.match(await rig.run(['debug', 'a@b']), {code: 0})
  t.match(await rig.run(['env', 'a@b@1.0.0']), {code: 1})
  t.match(await rig.run(['stop', 'a@b']), {code: 0, stdout: '✅  app stopped successfully: a@b\n'})
})
