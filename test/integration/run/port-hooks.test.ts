import {spawnSync} from 'node:child_process'
import {existsSync, rmSync} from 'node:fs'
import t from 'tap'
import {HOOK_TEXT} from '../../../src/packages/daeploy/python-hook.ts'
import {withPortHooks} from '../../../src/run/port-hooks.ts'
import {freePorts} from '../../rig/free-port.ts'

t.test('each process finds its hooks, also after the cache was emptied', async t => {
  const env = {XDG_CACHE_HOME: t.testdir()}
  const hook = (): string => {
    const published = {inCode: 3000, number: 3000, host: ''}
    const {NODE_OPTIONS = ''} = withPortHooks({}, published, {appPort: 4000, env, python: HOOK_TEXT})
    return /"(.*)"/.exec(NODE_OPTIONS)?.[1] ?? ''
  }
  t.ok(existsSync(hook()))
  rmSync(env.XDG_CACHE_HOME, {recursive: true})
  t.ok(existsSync(hook()))
})

t.test('a cache that is no absolute path counts as none: programs would look in their own folders', async t => {
  const env = {XDG_CACHE_HOME: '~/.cache', HOME: t.testdir()}
  const published = {inCode: 3000, number: 3000, host: ''}
  const {NODE_OPTIONS = '', PYTHONPATH = ''} = withPortHooks({}, published, {appPort: 4000, env, python: HOOK_TEXT})
  t.ok(NODE_OPTIONS.includes(`"${env.HOME}/.cache/pillion/`), NODE_OPTIONS)
  t.ok(PYTHONPATH.startsWith(`${env.HOME}/.cache/pillion/`))
})

const hasPython = spawnSync('python3', ['--version']).status === 0

const PROGRAM = `
import socket, sys
port = int(sys.argv[1])
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    bound = socket.socket(socket.AF_INET, kind)
    bound.bind(("127.0.0.1", port))
    print(super(socket.socket, bound).getsockname()[1], bound.getsockname()[1])
`

t.test('of a Python program connections are moved, and no datagrams', {skip: !hasPython && 'no python3'}, async t => {
  const [inCode = 0, appPort = 0] = await freePorts(2)
  const env = {XDG_CACHE_HOME: t.testdir()}
  const before = {PATH: process.env['PATH'] ?? ''}
  const published = {inCode, number: inCode, host: ''}
  const hooked = withPortHooks(before, published, {appPort, env, python: HOOK_TEXT})
  const {stdout} = spawnSync('python3', ['-c', PROGRAM, inCode.toString()], {env: hooked, encoding: 'utf8'})
  t.equal(stdout, `${appPort} ${inCode}\n${inCode} ${inCode}\n`)
})
