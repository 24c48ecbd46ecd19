import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const BRIEF = join(import.meta.dirname, '../fixtures/apps/brief.mjs')
const FOLDERS = 60

/** Of whom there may be so many; the limit is that of a user namespace of its own (user_namespaces(7)). */
type Limit = `${'watches' | 'instances'}: ${number}`

const limited = (limit: Limit): readonly [string, ...string[]] => {
  const [name, most] = limit.split(': ')
  return [
    'unshare',
    '-Ur',
    'sh',
    '-c',
    `echo ${String(most)} > /proc/sys/user/max_inotify_${String(name)} && exec "$@"`,
    'sh'
  ]
}

const [unshare, ...rest] = limited('watches: 1')
const mayLimit = spawnSync(unshare, [...rest, 'true']).status === 0
const skip = mayLimit ? false : 'no limit of watches can be set here: unshare is refused'

interface Shop {
  readonly rig: Rig
  readonly run: Program
  /** What the app answers through its sidecar. */
  readonly ask: () => Promise<string>
}

/** A watched app that answers with what app.txt held when it started. */
async function openShop(
  t: Test,
  limit: Limit,
  {files = {}, wishes = {}}: {readonly files?: Readonly<Record<string, string>>; readonly wishes?: object} = {}
): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'order/app.txt': '0', ...files})
  const env = {STARTS_FILE: join(rig.home, 'starts')}
  const app = {autoPort: true, command: [process.execPath, BRIEF], env, ...wishes}
  await rig.template([
    {appID: 'order', ...app},
    {appID: 'other', ...app, appDirPath: 'order'}
  ])
  const run = rig.start([...limited(limit), ...rig.program, 'run', '-f', '.', '--watch'])
  const {http} = await run.ports('order')
  const url = `http://127.0.0.1:${http}/v1.0/invoke/order/method/`
  return {rig, run, ask: async () => (await fetch(url)).text()}
}

/** Files in folders of their own. */
const inFolders = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from({length: FOLDERS}, (_, number) => [`order/part-${number}/${name}`, 'text']))

const CASES = [
  {
    what: 'watches',
    limit: 'watches: 20',
    files: inFolders('one.txt'),
    words: /limit of watches is reached \(fs\.inotify\.max_user_watches\)$/
  },
  {
    what: 'room for one who watches',
    limit: 'instances: 0',
    files: {},
    words: /limit of programs that watch, .* \(fs\.inotify\.max_user_instances, ulimit -n\)$/
  }
] as const

for (const {what, limit, files, words} of CASES)
  t.test(`where the system has no more ${what} files are polled, which is told once`, {skip}, async t => {
    const {rig, run, ask} = await openShop(t, limit, {files})
    const told = await run.waitForLine(/polling the files of .* every 500 ms: the system/, {stream: 'stderr'})
    t.match(told, words)
    t.equal(await ask(), '0')
    await rig.write({'order/app.txt': '1'})
    t.match(await run.waitForLine('order: reloaded'), /, 0 lost$/)
    t.equal(await ask(), '1')
    await rig.write({'order/later/two.txt': 'new'})
    await run.waitForLine('order: reloaded', {nth: 2})
    t.equal(run.stderr.lines.length, 1)
    t.match(await run.end(), {code: 0})
    t.same(await rig.leftovers(), [])
  })

t.test('a limit that is reached while a run goes on costs no change either', {skip}, async t => {
  const {rig, run, ask} = await openShop(t, 'watches: 20', {wishes: {watch: ['**/*.txt']}})
  await rig.write({'order/app.txt': '1'})
  await run.waitForLine('order: reloaded')
  t.equal(run.stderr.text, '', 'there are enough')
  await rig.write(inFolders('one.md'))
  await run.waitForLine("the system's limit of watches is reached", {stream: 'stderr'})
  await rig.write({'order/app.txt': '2'})
  await run.waitForLine('order: reloaded', {nth: 2})
  t.equal(await ask(), '2')
  t.equal(run.stderr.lines.length, 1)
})
