import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {limited, type LimitedProcess} from '../../../src/platform/resource-limits.ts'

const LIMITS = {memoryBytes: 512 * 2 ** 20, cpus: 0.5}
const MOUNTS = '22 1 0:21 / /proc rw - proc proc rw\n30 22 0:26 / /cg rw,nosuid shared:9 - cgroup2 cgroup2 rw\n'

type Files = Readonly<{[name: string]: string | Files}>

/** A system whose cgroups are plain files: it shows what is written, not what the kernel makes of it. */
function openSystem(t: Test, {own = '/', cg = {}, run = {}}: {own?: string; cg?: Files; run?: Files}): string {
  const proc = {self: {mountinfo: MOUNTS, cgroup: `1:name=systemd:/x\n0::${own}\n`}}
  return t.testdir({proc, cg, run, bin: {'systemd-run': '#!/bin/sh\n'}, 'no-bin': {}})
}

const asked = (root: string, {uid = 1000, path = 'no-bin', limits = LIMITS} = {}): LimitedProcess | string =>
  limited(limits, {root, uid, env: {PATH: join(root, path), XDG_RUNTIME_DIR: '/run/user/1000'}})

const group = (controllers: string, more: Files = {}): Files => ({
  'cgroup.procs': '',
  'cgroup.controllers': 'cpuset cpu memory pids\n',
  'cgroup.subtree_control': `${controllers}\n`,
  ...more
})

t.test('a cgroup that may be written: the process enters one of its own, and becomes the program', async t => {
  const root = openSystem(t, {cg: group('cpu memory')})
  const found = asked(root)
  if (typeof found === 'string') throw new Error(found)
  const [name = ''] = readdirSync(join(root, 'cg')).filter(each => each.startsWith('pillion-'))
  const folder = join(root, 'cg', name)
  t.equal(readFileSync(join(folder, 'memory.max'), 'utf8'), '536870912')
  t.equal(readFileSync(join(folder, 'cpu.max'), 'utf8'), '50000 100000')
  const [program, ...args] = [...found.prefix, 'sh', '-c', 'echo "$$ $1"', 'sh', 'a b']
  t.match(execFileSync(program, args).toString(), /^\d+ a b\n$/)
  t.equal(readFileSync(join(folder, 'cgroup.procs'), 'utf8'), '0\n', '0 is the process that writes it')
})

t.test('next to ours, where processes are; what a killed run has left is removed', async t => {
  const cg = group('memory', {init: group('', {}), 'pillion-4194305-1': {}})
  const root = openSystem(t, {own: '/init', cg})
  const found = asked(root, {limits: {memoryBytes: 2 ** 20, cpus: 0}})
  if (typeof found === 'string') throw new Error(found)
  const left = (): readonly string[] => readdirSync(join(root, 'cg')).filter(each => each.startsWith('pillion-'))
  t.equal(left().length, 1)
  t.notOk(left().includes('pillion-4194305-1'))
  t.notOk(existsSync(join(root, 'cg', left()[0] ?? '', 'cpu.max')))
  found.release() // a folder with files in it stays: real cgroups have none of their own
  t.equal(left().length, 1)
})

t.test('the group of a process that has not entered it so far is left alone', async t => {
  const [own, other] = [`pillion-${process.pid}-0`, `pillion-${process.ppid}-1`]
  const root = openSystem(t, {cg: group('cpu memory', {[own]: {}, [other]: {}})})
  asked(root)
  for (const each of [own, other]) t.ok(existsSync(join(root, 'cg', each)), each)
})

t.test("the user's systemd is asked first; a controller that it does not have is not asked for", async t => {
  const manager = {'user.slice': {'user-1000.slice': {'user@1000.service': group('')}}}
  const run = {user: {1000: {systemd: {private: ''}}}}
  const root = openSystem(t, {cg: {...group('cpu memory'), ...manager}, run})
  chmodSync(join(root, 'bin/systemd-run'), 0o755)
  const found = asked(root, {path: 'bin'})
  if (typeof found === 'string') throw new Error(found)
  const properties = ['MemoryMax=536870912', 'MemorySwapMax=0', 'CPUQuota=50%'].map(each => `--property=${each}`)
  t.same(found.prefix, [
    join(root, 'bin/systemd-run'),
    '--user',
    '--scope',
    '--quiet',
    '--collect',
    ...properties,
    '--'
  ])
  writeFileSync(join(root, 'cg/user.slice/user-1000.slice/user@1000.service/cgroup.controllers'), 'memory pids\n')
  const other = asked(root, {path: 'bin'})
  t.match(typeof other === 'string' ? other : other.prefix[0], /\/(?:ba)?sh$/)
})

t.test('why there are none', async t => {
  const root = openSystem(t, {cg: {...group('pids')}})
  t.match(
    asked(root),
    'neither the systemd of this user nor a cgroup that it may write has the controllers for memory and cpu'
  )
  writeFileSync(join(root, 'proc/self/mountinfo'), MOUNTS.replace('cgroup2', 'cgroup'))
  t.match(asked(root), 'this system has no cgroups of version 2')
})
