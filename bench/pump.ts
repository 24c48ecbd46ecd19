import {readdir, readFile, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Rig} from '../test/rig/rig.ts'
import {inRounds, type Scale} from './figure.ts'
import {lineWriter, withRig} from './tools.ts'

const BYTES_A_LINE = 100
const PREFIX = '== APP - writer == '

interface Pumped {
  readonly ours: readonly number[]
  readonly peer: readonly number[]
}

/**
 * Lines a second of a writer below pillion, which keeps them in a file and passes them on to `cat`; and straight into `cat`.
 * From just before the first write until everything has arrived and all have ended.
 */
export async function pumped({rounds, lines}: Scale, bytesAWrite: number): Promise<Pumped> {
  return withRig(async rig => {
    const begin = join(rig.folder, 'begin')
    const writer = [await lineWriter(), lines.toString(), BYTES_A_LINE.toString(), bytesAWrite.toString(), begin]
    await rig.template([{appID: 'writer', command: writer}])
    const perSecond = async (command: readonly string[]): Promise<number> => {
      await rm(begin, {force: true})
      await rig.start(['sh', '-c', '"$@" | cat > /dev/null', 'sh', ...command]).exited
      const end = process.hrtime.bigint()
      const nanoseconds = Number(end - BigInt((await readFile(begin, 'utf8')).trim()))
      return (lines * 1e9) / nanoseconds
    }
    const results = await inRounds(rounds, async () => {
      const ours = await perSecond([...rig.program, 'run', '-f', '.'])
      await checkLog(rig, lines)
      return {ours, peer: await perSecond(writer)}
    })
    return {ours: results.map(({ours}) => ours), peer: results.map(({peer}) => peer)}
  })
}

/** The log file must hold every line, with its prefix. */
async function checkLog(rig: Rig, lines: number): Promise<void> {
  const folder = join(rig.folder, 'writer/.dapr/logs')
  const [name = ''] = (await readdir(folder)).filter(file => file.startsWith('writer_app_'))
  const {size} = await stat(join(folder, name))
  const least = lines * (PREFIX.length + BYTES_A_LINE)
  if (size < least) throw new Error(`the log file has ${size.toString()} bytes, not ${least.toString()}`)
  await rm(folder, {recursive: true})
}
