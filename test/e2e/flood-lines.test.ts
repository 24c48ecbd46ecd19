import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {countedIn, FLOOD, logFileOf, runInto, watchMemory} from './flooding.ts'

const BINARY = join(import.meta.dirname, '../fixtures/apps/binary.mjs')
const PREFIX = '== APP - big == '

t.test(
  'lines of 10 MB and bytes of any value arrive as they are, whole in the file, while another app writes',
  async t => {
    const rig = await openRig(t)
    await rig.template([
      {appID: 'big', command: [process.execPath, BINARY, (10 * 1024 * 1024).toString(), '4'], ready: {log: '^ready$'}},
      {appID: 'flood', command: [process.execPath, FLOOD, '100000', '100', '1', '2'], dependsOn: ['big']}
    ])
    const run = runInto(rig, 'console')
    const memory = watchMemory(run.pid)
    t.match(await run.exited, {code: 0})
    const said = (await readFile(join(rig.folder, 'big/said'), 'latin1')).split('\n').slice(0, -1)
    const kept = (await readFile(await logFileOf(rig, 'big'), 'latin1')).split('\n')
    t.ok(
      said.length === 4 && said.every((line, index) => kept[index + 1] === PREFIX + line),
      'each is one line in the file'
    )
    t.same([kept[0], ...kept.slice(5)], [`${PREFIX}ready`, 'Exited App successfully', ''])
    const shown = (await readFile(join(rig.folder, 'console'), 'latin1'))
      .split('\n')
      .filter(line => line.startsWith(PREFIX))
    t.ok(shown.length > 5, 'lines of the other app came between')
    t.ok(
      shown.map(line => line.slice(PREFIX.length)).join('') === `ready${said.join('')}`,
      'the console has every byte, in order'
    )
    const {flooded} = await countedIn(join(rig.folder, 'console'))
    for (const stream of ['flood 1', 'flood 2']) t.same(flooded.get(stream), {count: 100_000, outOfOrder: ''})
    const most = Math.max(...memory())
    t.comment(`${most.toFixed()} MB; ${shown.length.toString()} pieces on the console`)
    t.ok(most < 200, `${most.toFixed()} MB`)
  }
)
