import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

const HOLDER = join(import.meta.dirname, '../fixtures/holds-ports.mjs')
/** The only port that the system gives to whoever asks for any. */
const ANY = 50_000
/** Those that runs give to apps, and to sidecars. */
const [APPS, SIDECARS] = ['20000-29999', '30000-32767']

/** Starts a program in a network of its own, in which somebody has these ports, and the system has no other one. */
const without = (...ports: readonly string[]): readonly [string, ...string[]] => [
  'unshare',
  '-Urn',
  'sh',
  '-c',
  `ulimit -n 16000 && ip link set lo up && echo ${ANY} ${ANY} > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"`,
  'sh',
  process.execPath,
  HOLDER,
  [`${ANY}-${ANY}`, ...ports].join()
]

const [unshare, ...rest] = without()
const skip =
  spawnSync(unshare, [...rest, 'true']).status === 0 ? false : 'no network of its own can be made here: unshare, ip'

const refused = async (rig: Rig, taken: readonly string[], args: readonly string[]): Promise<string> => {
  const program = rig.start([...without(...taken), ...rig.program, ...args])
  const {code} = await program.exited
  t.equal(code, 1)
  t.notMatch(program.stderr.text, /\n {4}at /)
  return program.stderr.text
}

t.test('no port is left for an app, a copy or a sidecar: it is said which, and what to do', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  t.match(
    await refused(rig, [APPS], ['run', '-f', '.']),
    /no port is free for "shop"\nNone of those that Pillion gives to apps \(from 20000 to 29999\) is, .*ss -ltn.*ip_local_port_range/
  )
  await rig.template([{appID: 'shop', appPort: 3000}])
  t.match(
    await refused(rig, [APPS], ['run', '-f', '.', '--isolated']),
    /no port is free for this copy, in place of 3000\n/
  )
  t.match(await refused(rig, [SIDECARS], ['run', '-f', '.']), /no port is free for the sidecar of "shop"\n/)
  rig.start([...without('29999-29999'), ...rig.program, 'run', '-f', '.'])
  await rig.driven('shop')
})

t.test('a machine without 127.0.0.1: the run says what is missing, not an unwritten address', {skip}, async t => {
  const rig = await openRig(t)
  const alone = [
    'unshare',
    '-Urn',
    'sh',
    '-c',
    'ip link set lo up && ip addr del 127.0.0.1/8 dev lo && exec "$@"',
    'sh'
  ]
  for (const settings of [{}, {apiListenAddresses: '::1'}]) {
    await rig.template([{appID: 'shop', ...settings}])
    const run = rig.start([...alone, ...rig.program, 'run', '-f', '.'])
    t.match(await run.exited, {code: 1})
    t.match(
      run.stderr.text,
      /This machine has no 127\.0\.0\.1 \(EADDRNOTAVAIL\)\. .*ip addr add 127\.0\.0\.1\/8 dev lo/
    )
  }
  const doctor = rig.start([...alone, ...rig.program, 'doctor'])
  t.match(await doctor.exited, {code: 1})
  t.match(doctor.stdout.text, /this machine has no 127\.0\.0\.1 \(EADDRNOTAVAIL\)/)
})
