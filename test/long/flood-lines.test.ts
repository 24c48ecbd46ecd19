import {readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {countedIn, FLOOD, logFileOf, runInto} from './flooding.ts'

const BINARY = join(import.meta.dirname, '../fixtures/apps/binary.mjs')
const PREFIX = '== APP - big == '

const LINE_BYTES = 10 * 1024 * 1024
const WAITS = ['sh', '-c', 'while ! test -e begin; do sleep 0.02; done; exec "$@"', 'sh']

/** Waits until a file holds so much. */
async function grown(path: () => Promise<string>, bytes: number): Promise<void> {
  const size = async (): Promise<number> => (await stat(await path())).size
  while ((await size().catch(() => 0)) < bytes) await pause(5)
}

t.test('lines of 10 MB and bytes of any value arrive unchanged, whole in the file, while an app writes', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'big', logs: {size: 0}, command: [process.execPath, BINARY, LINE_BYTES.toString(), '4']},
    {appID: 'flood', command: [...WAITS, process.execPath, FLOOD, '100000', '100', '1', '2']}
  ])
  const run = runInto(rig, 'console')
  await grown(async () => join(rig.folder, 'console'), LINE_BYTES * 0.4)
  await rig.write({'flood/begin': ''})
  await grown(async () => logFileOf(rig, 'flood'), 1)
  await rig.write({'big/go': ''})
  t.match(await run.exited, {code: 0})
  const said = (await readFile(join(rig.folder, 'big/said'), 'latin1')).split('\n').slice(0, -1)
  const kept = (await readFile(await logFileOf(rig, 'big'), 'latin1')).split('\n')
  t.ok(
    said.length === 4 && said.every((line, index) => kept[index + 1] === PREFIX + line),
    'each is one line in the file'
  )
  t.same([kept[0], ...kept.slice(5)], [`${PREFIX}ready`, 'Exited App successfully', ''])
  const shown = (await readFile(join(rig.folder, 'console'), 'latin1')).split('\n')
  const isPiece = (line: string): boolean => line.startsWith(PREFIX)
  t.ok(
    shown
      .slice(shown.findIndex(isPiece), shown.findLastIndex(isPiece))
      .some(line => line.startsWith('== APP - flood == ')),
    'lines of the other app came between'
  )
  const pieces = shown.filter(isPiece).map(line => line.slice(PREFIX.length))
  t.ok(pieces.join('') === `ready${said.join('')}`, 'the console has every byte, in order')
  const {flooded} = await countedIn(join(rig.folder, 'console'))
  for (const stream of ['flood 1', 'flood 2']) t.same(flooded.get(stream), {count: 100_000, outOfOrder: ''})
})
