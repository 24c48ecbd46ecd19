import t from 'tap'
import {limited} from '../../src/platform/resource-limits.ts'
import {openRig} from '../rig/rig.ts'

const WAITS = 'console.log("runs"); setInterval(() => {}, 1000)'
const here = limited({memoryBytes: 2 ** 29, cpus: 0.5})
if (typeof here !== 'string') here.release()

t.test('without system limits apps run, told once', {skip: typeof here === 'string' ? false : 'it has'}, async t => {
  const rig = await openRig(t)
  const limits = {memory: '512Mi', cpus: 0.5}
  const app = {command: ['node', '-e', WAITS], limits}
  await rig.template([
    {appID: 'a', ...app},
    {appID: 'b', ...app}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('== runs', {nth: 2})
  await rig.run(['restart', 'a'])
  await run.waitForLine('== runs', {nth: 3})
  t.equal(run.stderr.lines.filter(line => line.includes('limits cannot be set here')).length, 1)
  await rig.run(['stop', '-f', '.'])
})

t.test('a memory limit: who needs more is killed, told', {skip: typeof here === 'string' ? here : false}, async t => {
  const rig = await openRig(t)
  const eats = 'const all = []; setInterval(() => all.push(Buffer.alloc(2 ** 24, 1)), 10)'
  await rig.template([{appID: 'a', command: ['node', '-e', eats], limits: {memory: '128Mi'}}])
  const run = rig.pillion(['run', '-f', '.'])
  t.match(await run.exited, {code: 1})
  t.match(run.stderr.lines.join('\n'), /ended by SIGKILL[^]*it may have reached its limit of memory, 128Mi/)
})

t.test('a wrong limit has its place', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', command: ['true'], limits: {memory: '12'}},
    {appID: 'b', command: ['true'], limits: {cpus: 0, ram: '1Gi'}}
  ])
  const {code, stderr} = await rig.run(['validate'])
  t.equal(code, 1)
  t.match(stderr, /expected a size from 1Mi up/)
  t.match(stderr, /expected a number above 0/)
  t.match(stderr, /unknown key ram in limits/)
})
