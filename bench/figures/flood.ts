import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {inRounds, type Figure} from '../figure.ts'
import {paced} from '../paced.ts'
import {echoServer, freePorts, lineWriter, withRig} from '../tools.ts'

const CALLS_A_SECOND = 1000
const BYTES_A_LINE = 100
/** More than anybody can write in the time: the writer ends with the run. */
const ENDLESS = 1_000_000_000
const LEAST_AT_FULL_SPEED = 100_000

/** The 99th percentile of the times of calls, 1,000 a second, while an app that has nothing to do with them floods the logs. */
export const flood: Figure = {
  name: 'flood',
  needs: ['go', 'cc'],
  measure: async ({rounds, seconds}) => {
    const rows = [
      {name: 'flood: 50,000 lines/s', bytesAWrite: 1, pace: ['50000']},
      {name: 'flood: full speed', bytesAWrite: 10_000, pace: []}
    ] as const
    const results = await inRounds(rounds, async () =>
      inRounds(rows.length, async number => {
        const {bytesAWrite = 1, pace = []} = rows[number] ?? {}
        return roundOf({seconds, writing: [BYTES_A_LINE.toString(), bytesAWrite.toString()], pace})
      })
    )
    return rows.map(({name}, number) => ({
      name,
      unit: 'ms',
      ours: results.map(round => round[number] ?? Number.NaN),
      peer: [],
      peerName: ''
    }))
  }
}

interface Round {
  readonly seconds: number
  /** Bytes a line and a write. */
  readonly writing: readonly string[]
  /** Lines a second; empty: as fast as it can. */
  readonly pace: readonly string[]
}

/** One run with its calls: the p99 in ms. Throws where a call failed, or where too little was written meanwhile. */
async function roundOf({seconds, writing, pace}: Round): Promise<number> {
  return withRig(async rig => {
    const [server, writer] = await Promise.all([echoServer(), lineWriter()])
    const [sidecar = 0, callerPort = 0, calleePort = 0] = await freePorts(3)
    const begin = join(rig.folder, 'begin')
    await rig.template([
      {appID: 'caller', appPort: callerPort, command: [server], daprHTTPPort: sidecar},
      {appID: 'callee', appPort: calleePort, command: [server], env: {EXPECT_CALLER: 'caller'}},
      {
        appID: 'writer',
        command: [writer, ENDLESS.toString(), ...writing, begin, ...pace],
        dependsOn: ['caller', 'callee']
      }
    ])
    const written = join(rig.folder, 'written')
    const pipeline = rig.start(['sh', '-c', '"$@" | wc -l > "$0"', written, ...rig.program, 'run', '-f', '.'])
    while (!existsSync(begin)) {
      if (pipeline.hasExited) throw new Error(pipeline.report())
      await pause(20)
    }
    const url = `http://127.0.0.1:${sidecar}/v1.0/invoke/callee/method/echo`
    const {p99} = await paced(url, CALLS_A_SECOND, seconds)
    await rig.run(['stop', '-f', '.'])
    await pipeline.exited
    // log files are rotated: what has passed is counted where it comes out
    const lines = Number(await readFile(written, 'utf8'))
    const leastLines = Number(pace[0] ?? LEAST_AT_FULL_SPEED) * seconds * 0.9
    if (lines < leastLines) throw new Error(`${lines} lines were written, not ${leastLines}`)
    return p99 / 1000
  })
}
