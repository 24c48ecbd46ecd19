import {readdir, readFile, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Rig} from '../test/rig/rig.ts'
import {inRounds, type Measure, type PumpName, type Scale} from './figure.ts'
import {OURS, SUPERVISORS, type Setup} from './supervisors.ts'
import {lineWriter, withRig} from './tools.ts'

const BYTES_A_LINE = 100
/** Of a peer; ours loses none. */
const MAX_LOST = 0.01
const PREFIX = '== APP - writer == '
/** Through tmux a line takes a hundred times as long; pm2 and Dapr's CLI do not end with their apps. */
const LEFT_OUT = new Set(['overmind', 'pm2', 'dapr'])

/**
 * Lines a second of a writer below pillion, which keeps them in a file and passes them on; below others, and straight into `wc`.
 * From just before the first write until everything has arrived and all have ended.
 */
export async function pumped(name: PumpName, {rounds, lines}: Scale, bytesAWrite: number): Promise<readonly Measure[]> {
  return withRig(async rig => {
    const begin = join(rig.folder, 'begin')
    const command = [await lineWriter(), lines.toString(), BYTES_A_LINE.toString(), bytesAWrite.toString(), begin]
    const entries = [{id: 'writer', command, env: {}}]
    const setups = new Map<string, Setup | undefined>([
      ['ours', OURS(rig.program, entries)],
      ['plain', {files: {}, command}]
    ])
    for (const {name: peer, setup} of SUPERVISORS)
      if (!LEFT_OUT.has(peer)) setups.set(peer, await setup(entries, join(rig.folder, peer)))
    const results = await inRounds(rounds, async () => {
      const done = new Map<string, Pumped>()
      for (const [peer, setup] of setups)
        if (setup !== undefined) done.set(peer, await roundOf(rig, {name: peer, setup, begin, lines}))
      return done
    })
    const column = (of: string, kind: keyof Pumped): readonly number[] =>
      results.flatMap(done => done.get(of)?.[kind] ?? [])
    return [...setups.keys()].slice(1).flatMap((peerName): readonly Measure[] => {
      const lost = column(peerName, 'lost')
      // who loses much has not done the work
      const isWhole = lost.every(count => count <= lines * MAX_LOST)
      return [
        {
          name,
          unit: '/s',
          ours: column('ours', 'perSecond'),
          peer: isWhole ? column(peerName, 'perSecond') : [],
          peerName,
          ...(!isWhole && {why: 'lost lines'})
        },
        {
          name: `${name}: lost`,
          unit: 'lines',
          ours: [Math.max(...column('ours', 'lost'))],
          peer: lost.length > 0 ? [Math.max(...lost)] : [],
          peerName
        }
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
  readonly lines: number
}

async function roundOf(rig: Rig, {name, setup, begin, lines}: Round): Promise<Pumped> {
  await rm(begin, {force: true})
  await rig.write({[`${name}/count`]: ''})
  await rig.write(Object.fromEntries(Object.entries(setup.files).map(([file, text]) => [`${name}/${file}`, text])))
  const pipeline = ['sh', '-c', '"$@" | wc -l > count', 'sh', ...setup.command]
  await rig.start(pipeline, {folder: name, env: setup.env ?? {}}).exited
  const end = process.hrtime.bigint()
  const nanoseconds = Number(end - BigInt((await readFile(begin, 'utf8')).trim()))
  // others tell something of their own, too
  const lost = Math.max(0, lines - Number(await readFile(join(rig.folder, name, 'count'), 'utf8')))
  if (name === 'ours') await checkOurs(rig, lines, lost)
  return {perSecond: (lines * 1e9) / nanoseconds, lost}
}

/** The default of `logs.size`: at half of it a log file is renamed, and the file before it goes. */
const LOG_BYTES = 64 * 2 ** 20

/** Every line must arrive, and be in the log files with its prefix, as far as they are kept. */
async function checkOurs(rig: Rig, lines: number, lost: number): Promise<void> {
  if (lost > 0) throw new Error(`${lost} of ${lines} lines did not arrive`)
  const folder = join(rig.folder, 'ours/.dapr/logs')
  const names = (await readdir(folder)).filter(file => file.startsWith('writer_app_'))
  const sizes = await Promise.all(names.map(async name => (await stat(join(folder, name))).size))
  const size = sizes.reduce((sum, each) => sum + each, 0)
  const least = Math.min(lines * (PREFIX.length + BYTES_A_LINE), LOG_BYTES / 2)
  if (size < least) throw new Error(`the log files have ${size} bytes, not ${least}`)
  await rm(folder, {recursive: true})
}
