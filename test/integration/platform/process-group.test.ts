import {once} from 'node:events'
import {chmodSync, openSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {spawnGroup, type ProcessGroup} from '../../../src/platform/process-group.ts'

interface Start {
  readonly command: readonly string[]
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
}

const PATH = '/usr/bin:/bin'

/** Node without `node:ffi` starts a program by its own `spawn`; others by posix_spawn(3). */
const WAYS = ['posix_spawn', 'posix_spawn with a stdin', 'spawn'] as const

/** Programs of each kind. */
const programs = t.testdir({
  'a-folder': {},
  bin: {'by-path': '#!/bin/sh\necho "$0" found\n'},
  'no-shebang': 'echo "no shebang: $1"\n',
  'no-interpreter': '#!/nowhere/sh\n',
  'not-executable': '#!/bin/sh\necho never\n'
})
for (const name of ['bin/by-path', 'no-shebang', 'no-interpreter']) chmodSync(join(programs, name), 0o755)

function withoutFfi<T>(act: () => T): T {
  const getBuiltinModule = process.getBuiltinModule.bind(process)
  const hiding = (name: string): unknown => (name === 'node:ffi' ? undefined : getBuiltinModule(name))
  Object.assign(process, {getBuiltinModule: hiding})
  try {
    return act()
  } finally {
    Object.assign(process, {getBuiltinModule})
  }
}

/** What a process did, started in one of the ways. */
async function outcome(way: (typeof WAYS)[number], {command, folder = programs, env = {PATH}}: Start) {
  const path = join(programs, `output of ${way}`)
  const stdio = {stdout: {theirs: openSync(path, 'w')}, stderr: {theirs: openSync(path, 'a')}}
  const start = (): ProcessGroup => spawnGroup({command, folder, env, stdio, hasInput: way !== 'posix_spawn'})
  const group = way === 'spawn' ? withoutFfi(start) : start()
  group.stdin?.end()
  const exit = await group.exited
  return {exit, output: readFileSync(path, 'utf8'), hasExited: group.hasExited(), hasPid: group.pid !== undefined}
}

const shell = (script: string): readonly string[] => ['sh', '-c', script]

const STARTS: Readonly<Record<string, Start>> = {
  'exit code 0': {command: ['true']},
  'exit code 3': {command: shell('exit 3')},
  'exit code 255': {command: shell('exit 255')},
  'killed by SIGKILL': {command: shell('kill -9 $$')},
  'ended by SIGTERM': {command: shell('kill $$')},
  'ended by a signal of real time': {command: shell('kill -40 $$')},
  'its arguments': {command: ['printf', '<%s>', '', 'a b', '"', "'", 'ü🚲', '\n', '-n', '$HOME']},
  'its environment, and nothing else': {command: ['env'], env: {PATH, EMPTY: '', 'a=b': 'c=d', Ü: 'ß\n2', _: 'x'}},
  'its folder': {command: shell('pwd -P')},
  'its signals: none blocked': {command: ['grep', '-E', '^Sig(Blk|Cgt)', '/proc/self/status']},
  'a pipe that broke ends the writer': {command: shell('yes | head -n 1')},
  'it leads its session and group': {
    command: shell('set -- $(cat /proc/$$/stat); test $1 = $5 && test $1 = $6 && echo leads')
  },
  'a path from its folder': {command: ['./bin/by-path']},
  'a folder of PATH that is relative': {command: ['by-path'], env: {PATH: `bin:${PATH}`}},
  'an empty PATH': {command: ['by-path'], env: {PATH: ''}},
  'no PATH at all': {command: ['true'], env: {}},
  'a script without shebang': {command: ['./no-shebang', 'x']},
  'a program that does not exist': {command: ['nonesuch-program']},
  'a path that does not exist': {command: ['./nonesuch']},
  'a folder for a program': {command: ['./a-folder']},
  'a program without permission': {command: ['./not-executable']},
  'an interpreter that does not exist': {command: ['./no-interpreter']},
  'a folder that does not exist': {command: ['true'], folder: '/nonesuch'},
  'a NUL byte in an argument': {command: ['echo', 'a\0b']},
  'a NUL byte in the environment': {command: ['true'], env: {PATH, A: 'a\0b'}},
  'no command': {command: ['']}
}

for (const [name, start] of Object.entries(STARTS))
  t.test(`started in any way, a process ends the same: ${name}`, async t => {
    const node = await outcome('spawn', start)
    for (const way of WAYS.slice(0, -1)) t.same(await outcome(way, start), node, way)
    t.ok(node.hasExited)
  })

const sleeper = (): ProcessGroup =>
  spawnGroup({
    command: ['sleep', '1000'],
    folder: '/',
    env: {PATH},
    stdio: {stdout: {theirs: openSync('/dev/null', 'w')}, stderr: {theirs: openSync('/dev/null', 'w')}},
    hasInput: false
  })

const children = (): readonly string[] =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter(pid => pid !== '')

t.test('of 200 that end in one instant each is reaped, with its signal, beside children of Node', async t => {
  const before = children().length
  const groups = Array.from({length: 200}, () => sleeper())
  t.equal(children().length - before, 200)
  const names = ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGABRT'] as const
  const byNode = outcome('spawn', {command: shell('exit 7')})
  groups.forEach((group, at) => group.signal(names[at % 4] ?? 'SIGTERM', 'group'))
  const exits = await Promise.all(groups.map(async ({exited}) => exited))
  t.same(
    exits,
    groups.map((_, at) => ({kind: 'signal', signal: names[at % 4]}))
  )
  t.ok(groups.every(group => group.hasExited()))
  t.same((await byNode).exit, {kind: 'code', code: 7})
  t.equal(children().length, before, 'no zombie is left')
})

t.test('a group whose leader was reaped gets no signal: its number may be of others', async t => {
  const group = sleeper()
  t.notOk(group.hasExited())
  t.ok(group.started > 0)
  group.signal('SIGTERM', 'group')
  await group.exited
  t.ok(group.hasExited())
  group.signal('SIGKILL', 'group')
})

t.test('a start leaves no descriptor behind', async t => {
  await outcome('posix_spawn', {command: ['true']})
  const before = readdirSync('/proc/self/fd').length
  for (const command of [['true'], ['./nonesuch'], ['nonesuch']]) await outcome('posix_spawn', {command})
  const stdio = {stdout: {theirs: openSync('/dev/null', 'w')}, stderr: {theirs: openSync('/dev/null', 'w')}}
  const {stdin, exited} = spawnGroup({command: ['true'], folder: '/', env: {PATH}, stdio, hasInput: true})
  if (stdin !== null) await once(stdin, 'close')
  await exited
  t.equal(readdirSync('/proc/self/fd').length, before)
})
