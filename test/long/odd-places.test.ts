import {spawnSync} from 'node:child_process'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('a home in which nothing can be written is not needed', async t => {
  const rig = await openRig(t)
  const env = {HOME: '/proc/none'}
  await rig.template([{appID: 'shop', command: ['sh', '-c', 'echo open; exec sleep 1000']}])
  const run = rig.pillion(['run', '-f', '.'], {env})
  await run.waitForLine('== APP - shop == open')
  t.match(await rig.run(['list'], {env}), {code: 0, stdout: /^shop /m})
  t.match(await rig.run(['stop', '-f', '.'], {env}), {code: 0})
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('in a folder that was removed a command says so; one that needs none works', async t => {
  const rig = await openRig(t)
  const inGone = async (...args: readonly string[]) => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    const program = rig.start(['sh', '-c', script, 'sh', ...rig.program, ...args])
    const {code} = await program.exited
    return {code, stdout: program.stdout.text, stderr: program.stderr.text}
  }
  for (const args of [['ps'], ['down'], ['up'], ['run', '--', 'true']])
    t.match(
      await inGone(...args),
      {code: 1, stderr: '❌  this folder is gone\nChange to one that exists. [folder]\n'},
      args.join(' ')
    )
  t.match(await inGone('list'), {code: 0, stdout: 'No Dapr instances found.\n'})
})

t.test('a folder whose name has a letter and its accent apart is found by the name that it has', async t => {
  const rig = await openRig(t)
  const name = 'Cafe\u0301'
  const cwd = join(rig.folder, name)
  await mkdir(cwd)
  await rig.write({
    [`${name}/dapr.yaml`]:
      'version: 1\napps:\n  - {appID: shop, appDirPath: ., command: [sh, -c, "echo open; exec sleep 1000"]}\n'
  })
  const run = rig.pillion(['run', '-f', '.'], {folder: name})
  await run.waitForLine('== APP - shop == open')
  t.match(await rig.run(['stop', '-f', join(cwd, 'dapr.yaml')]), {code: 0})
  t.match(await run.exited, {code: 0})
})

t.test('among 600 other processes an app and all below it are ended', async t => {
  const rig = await openRig(t)
  const many = rig.start(['sh', '-c', 'for n in $(seq 600); do sleep 2000 & done; echo there; wait'])
  await many.waitForLine('there')
  await rig.template([{appID: 'shop', command: ['sh', '-c', 'setsid sleep 1001 & echo open; exec sleep 1000']}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== APP - shop == open')
  t.match(await rig.run(['ps']), {code: 0, stdout: /^shop /m})
  t.match(await run.end('SIGINT'), {code: 0})
  const left = await rig.leftovers(0)
  t.equal(left.filter(text => /^\d+ sleep 2000$/.test(text)).length, 600, 'the others are as they were')
  t.same(
    left.filter(text => text.includes('sleep 100')),
    []
  )
})

/** Runs a command where /proc is empty, as in a chroot in which nothing is mounted there. */
const WITHOUT_PROC = ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs tmpfs /proc && exec "$@"', 'sh']
const skip = spawnSync('unshare', [...WITHOUT_PROC.slice(1), 'true']).status === 0 ? false : 'nothing can be mounted'

t.test('without /proc the run, and the doctor, say what is missing', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', command: ['true']}])
  for (const command of [['run', '-f', '.'], ['doctor']]) {
    const {exited, stdout, stderr} = rig.start([...WITHOUT_PROC, ...rig.program, ...command])
    t.match(await exited, {code: 1})
    const told = stdout.text + stderr.text
    t.match(
      told,
      /❌ {2}processes cannot be identified without \/proc: ENOENT.*\n *Mount it: mount -t proc proc \/proc(?: \[wrong-value\])?\n/
    )
    t.notMatch(told, / at .*\.js/, 'no stack')
  }
})
