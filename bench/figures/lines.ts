import {readdir, readFile, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {OURS, SUPERVISORS, type Setup} from '../supervisors.ts'
import {lineWriter, withRig} from '../tools.ts'

const BYTES_A_LINE = 100
/** Share that a peer may lose. */
const MAX_LOST = 0.01
const PREFIX = '== APP - writer == '
export const lines: Figure = {
  name: 'lines',
  title: 'Log lines',
  what: 'A program in C writes lines of 100 bytes, one `write` for each, through the tool into `wc -l`; `plain` is the same straight into `wc -l`. The time goes from the first write until every line has arrived. Pillion keeps the lines in a file, too. A tool that loses more than one in a hundred has no speed.',
  needs: ['cc'],
  measure: async ({rounds, lines: count}) =>
    withRig(async rig => {
      const begin = join(rig.folder, 'begin')
      const command = [await lineWriter(), count.toString(), BYTES_A_LINE.toString(), '1', begin]
      const entries = [{id: 'writer', command, env: {}}]
      const setups = new Map<string, Setup | undefined>([
        ['ours', OURS(rig.program, entries)],
        ['plain', {files: {}, command}]
      ])
      for (const {name, setup, endsWithApps} of SUPERVISORS)
        if (endsWithApps) setups.set(name, await setup(entries, join(rig.folder, name)))
      const results = await inRounds(rounds, async () => {
        const done = new Map<string, Pumped>()
        for (const [name, setup] of setups)
          if (setup !== undefined) done.set(name, await roundOf(rig, {name, setup, begin, count}))
        return done
      })
      const column = (of: string, kind: keyof Pumped): readonly number[] =>
        results.flatMap(done => done.get(of)?.[kind] ?? [])
      return [...setups.keys()].slice(1).flatMap((peerName): readonly Measure[] => {
        const lost = column(peerName, 'lost')
        const isWhole = lost.every(each => each <= count * MAX_LOST)
        const peer = isWhole ? column(peerName, 'perSecond') : []
        const why = isWhole ? {} : {why: 'lost lines'}
        return [
          {name: 'lines', unit: '/s', ours: column('ours', 'perSecond'), peer, peerName, ...why},
          {name: 'lines: lost', unit: 'lines', ours: [Math.max(...column('ours', 'lost'))], peer: lost, peerName}
        ]
      })
    })
}

interface Pumped {
  readonly perSecond: number
  /** Lines that did not arrive. */
  readonly lost: number
}

interface Round {
  readonly name: string
  readonly setup: Setup
  /** Where the writer tells when it began. */
  readonly begin: string
  readonly count: number
}

async function roundOf(rig: Rig, {name, setup, begin, count}: Round): Promise<Pumped> {
  await rm(begin, {force: true})
  await rig.write({[`${name}/count`]: ''})
  await rig.write(Object.fromEntries(Object.entries(setup.files).map(([file, text]) => [`${name}/${file}`, text])))
  const pipeline = ['sh', '-c', '"$@" | wc -l > count', 'sh', ...setup.command]
  await rig.start(pipeline, {folder: name, env: setup.env ?? {}}).exited
  const end = process.hrtime.bigint()
  const nanoseconds = Number(end - BigInt((await readFile(begin, 'utf8')).trim()))
  // others tell something of their own, too
  const lost = Math.max(0, count - Number(await readFile(join(rig.folder, name, 'count'), 'utf8')))
  if (name === 'ours') await checkOurs(rig, count, lost)
  return {perSecond: (count * 1e9) / nanoseconds, lost}
}

/** The default of `logs.size`: at half of it a log file is renamed, and the file before it goes. */
const LOG_BYTES = 64 * 2 ** 20

/** Every line must arrive, and be in the log files with its prefix, as far as they are kept. */
async function checkOurs(rig: Rig, count: number, lost: number): Promise<void> {
  if (lost > 0) throw new Error(`${lost} of ${count} lines did not arrive`)
  const folder = join(rig.folder, 'ours/.dapr/logs')
  const names = (await readdir(folder)).filter(file => file.startsWith('writer_app_'))
  const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name))).size))
  const size = sizes.reduce((sum, each) => sum + each, 0)
  const least = Math.min(count * (PREFIX.length + BYTES_A_LINE), LOG_BYTES / 2)
  if (size < least) throw new Error(`the log files have ${size} bytes, not ${least}`)
  await rm(folder, {recursive: true})
}
