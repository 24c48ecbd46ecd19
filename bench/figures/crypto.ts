import {execFile} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {createWriteStream} from 'node:fs'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {component} from '../../test/rig/resource-files.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {cpuOf, residentMegabytes} from '../../test/rig/usage.ts'
import {inRounds, WHOLE, type Figure, type Measure, type MeasureName} from '../figure.ts'
import {freePorts, grpcEnds, withRig} from '../tools.ts'

const execute = promisify(execFile)
const MB = 1e6
const KEY = '00'.repeat(32)
/** The stream cipher within AES-256-GCM: `openssl enc` has no GCM. */
const OPENSSL = ['enc', '-aes-256-ctr', '-K', KEY, '-iv', KEY.slice(32), '-out', '/dev/null', '-in']
/** A file through openssl, with the processor time that it took, in s. */
const TIMED =
  'import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True); u=resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime+u.ru_stime)'

type Way = 'Encrypt' | 'Decrypt'

const ECHO = join(import.meta.dirname, '../../test/fixtures/servers/h2-echo.mjs')

/**
 * A file as a stream of gRPC through the run, written and read by grpc-go, beside `openssl enc` with the same file, and beside a server of
 * node:http2 that only sends back what comes: what carrying the bytes costs in Node before any is encrypted.
 */
export const crypto: Figure = {
  name: 'crypto',
  needs: ['go', 'openssl', 'python3'],
  measure: async scale =>
    withRig(async rig => {
      const bytes = scale === WHOLE ? 1 << 30 : 1 << 27
      const [grpcPort = 0, echoPort = 0] = await freePorts(2)
      const pid = await started(rig, grpcPort)
      const echo = rig.start([process.execPath, ECHO], {env: {PORT: echoPort.toString()}})
      await echo.waitForLine('listening')
      const plain = join(rig.folder, 'plain')
      await fill(plain, bytes)
      const files = {Encrypt: [plain, '-out', `${plain}.enc`], Decrypt: [`${plain}.enc`, '-same', plain]}
      const through = async (
        of: number,
        port: number,
        way: Way,
        file: readonly string[]
      ): Promise<readonly number[]> => {
        const before = await cpuOf(of)
        const args = ['crypt', '-address', `127.0.0.1:${port}`, '-method', way, '-in', ...file]
        const {stdout} = await execute(await grpcEnds(), args)
        const {micros} = JSON.parse(stdout) as {micros: number}
        return [bytes / micros, bytes / MB / (((await cpuOf(of)) - before) / 1000)]
      }
      const before = await residentMegabytes(pid)
      const round = async () => {
        const from = performance.now()
        const {stdout} = await execute('python3', ['-c', TIMED, 'openssl', ...OPENSSL, plain])
        const ms = performance.now() - from
        return {
          openssl: [bytes / 1000 / ms, bytes / MB / Number(stdout)],
          Encrypt: await through(pid, grpcPort, 'Encrypt', files.Encrypt),
          Decrypt: await through(pid, grpcPort, 'Decrypt', files.Decrypt),
          echo: await through(echo.pid, echoPort, 'Encrypt', [plain]),
          megabytes: (await residentMegabytes(pid)) - before
        }
      }
      await round() // warm
      const rounds = await inRounds(scale === WHOLE ? 3 : scale.rounds, round)
      const row = (name: MeasureName, way: Way, at: 0 | 1, peer: 'openssl' | 'echo' = 'openssl'): Measure => ({
        name,
        unit: 'MB/s',
        ours: rounds.map(each => each[way][at] ?? Number.NaN),
        peer: rounds.map(each => each[peer][at] ?? Number.NaN),
        peerName: peer === 'echo' ? 'node:http2 echo' : 'openssl enc'
      })
      return [
        row('crypto: encrypt, against an echo', 'Encrypt', 0, 'echo'),
        row('crypto: encrypt, against an echo, CPU', 'Encrypt', 1, 'echo'),
        row('crypto: encrypt', 'Encrypt', 0),
        row('crypto: encrypt, CPU', 'Encrypt', 1),
        row('crypto: decrypt', 'Decrypt', 0),
        row('crypto: decrypt, CPU', 'Decrypt', 1),
        {name: 'crypto: memory', unit: 'MB', ours: rounds.map(({megabytes}) => megabytes), peer: [], peerName: ''}
      ]
    })
}

/** Starts a run with one key; gives its process. */
async function started(rig: Rig, daprGRPCPort: number): Promise<number> {
  await rig.write({
    'resources/keys.yaml': component('keys', 'crypto.dapr.localstorage', {path: 'keys'}),
    'keys/sym256': randomBytes(32).toString('base64')
  })
  await rig.template([{appID: 'shop', appDirPath: '.', daprGRPCPort, command: ['sleep', '100000']}], {
    resourcesPath: './resources'
  })
  const program = rig.pillion(['run', '-f', '.'])
  await program.ports('shop')
  return program.pid
}

async function fill(path: string, bytes: number): Promise<void> {
  const file = createWriteStream(path)
  const piece = randomBytes(1 << 20)
  for (let size = 0; size < bytes; size += piece.length) if (!file.write(piece)) await once(file, 'drain')
  await promisify(file.end.bind(file))()
}
