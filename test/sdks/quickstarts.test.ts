/**
 * Dapr's quickstarts for jobs, conversation and cryptography, unmodified, by the commands of their READMEs. They are fetched from GitHub; where
 * it cannot be reached they are skipped.
 */
import {execFile} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {cp, mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import t, {type Test} from 'tap'
import {openModelServer} from '../rig/model-server.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {installed, publicSource} from './installed.ts'

t.setTimeout(600_000)

const execute = promisify(execFile)
const WAIT = {limitMs: 90_000}
const IN_JAVASCRIPT = [
  'jobs/javascript/http/job-service',
  'jobs/javascript/http/job-scheduler',
  'conversation/javascript/http/conversation',
  'cryptography/javascript/sdk/crypto-quickstart'
]

/** A copy of the quickstarts, with what `npm install` brings. */
async function quickstarts(t: Test): Promise<Rig | undefined> {
  const from = await installed(
    t,
    publicSource({
      repository: 'dapr/quickstarts',
      commit: '56eb3ae3a4cc1783f2d65a6525deb51065fe0151',
      paths: [
        'jobs/javascript',
        'jobs/python/http',
        'conversation/javascript',
        'conversation/components',
        'cryptography/javascript',
        'cryptography/components'
      ],
      build: folder =>
        IN_JAVASCRIPT.map(each => ['npm', 'install', '--no-audit', '--no-fund', '--prefix', join(folder, each)])
    })
  )
  if (from === undefined) return undefined
  const rig = await openRig(t)
  await cp(from, rig.folder, {recursive: true, verbatimSymlinks: true})
  return rig
}

for (const folder of ['jobs/javascript/http', 'jobs/python/http'])
  t.test(`${folder}: two jobs are scheduled, told and brought`, async t => {
    const rig = await quickstarts(t)
    if (rig === undefined) return
    const run = rig.pillion(['run', '-f', '.'], {folder, env: {PYTHONUNBUFFERED: '1'}})
    for (const line of [
      /== APP - job-scheduler == Job scheduled: R2-D2/i,
      /== APP - job-scheduler == Job details.*R2-D2.*"dueTime":"15s"/,
      /== APP - job-service == Executing maintenance job: Oil Change/,
      /== APP - job-service == Executing maintenance job: Limb Calibration/
    ])
      t.ok(await run.waitForLine(line, WAIT))
    run.signal('SIGINT')
    t.match(await run.exited, {code: 0})
  })

t.test('conversation/javascript/http: Ollama, for which a server of its form stands in, calls a tool', async t => {
  const rig = await quickstarts(t)
  if (rig === undefined) return
  // its Component names no address, so Ollama's own
  const server = await openModelServer(t, 11_434)
  const run = rig.pillion(['run', '-f', '.'], {folder: 'conversation/javascript/http'})
  t.match(await run.exited, {code: 0})
  t.match(run.stdout.text, /== APP - conversation == Conversation input sent: What is dapr\?/)
  t.match(run.stdout.text, /== APP - conversation == Output response: You said: What is dapr\?/)
  t.match(run.stdout.text, /get_weather/)
  t.equal(server.asked[0]?.body.model, 'llama3.2:latest')
})

t.test('cryptography/javascript/sdk: a text and a picture are the same behind both ways', async t => {
  const rig = await quickstarts(t)
  if (rig === undefined) return
  const program = 'cryptography/javascript/sdk/crypto-quickstart'
  const folder = join(rig.folder, program)
  const keys = join(folder, 'keys')
  await mkdir(keys, {recursive: true})
  const bits = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096']
  await execute('openssl', ['genpkey', ...bits, '-out', join(keys, 'rsa-private-key.pem')])
  await writeFile(join(keys, 'symmetric-key-256'), randomBytes(32))
  const components = ['--resources-path', '../../../components/']
  const run = rig.pillion(['run', '--app-id', 'crypto-quickstart', ...components, '--', 'npm', 'start'], {
    folder: program
  })
  t.match(await run.exited, {code: 0})
  const picture = await readFile(join(folder, 'federico-di-dio-photography-Q4g0Q-eVVEg-unsplash.jpg'))
  t.ok(picture.equals(await readFile(join(folder, 'decrypted.out.jpg'))))
  t.notOk(picture.equals(await readFile(join(folder, 'encrypted.out'))))
  t.match(run.stdout.text, /Decrypted the message, got 24 bytes/)
})
