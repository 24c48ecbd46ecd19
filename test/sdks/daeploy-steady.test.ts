import {cpSync, readFileSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {join} from 'node:path'
import t from 'tap'
import {ask, managerOf} from '../rig/manager.ts'
import {openRig} from '../rig/rig.ts'
import {openSdk} from '../rig/sdk.ts'

// The first test of a machine installs the SDK.
t.setTimeout(400_000)

const FIXTURES = join(import.meta.dirname, '../fixtures/daeploy')
const SAVES = 1
const STARTED = /^== APP - echo == .*Started server process/

interface QueueStats {
  readonly asked: number
  readonly seconds: number
  /** How often each answer was heard. */
  readonly answers: Readonly<Record<string, number>>
  readonly failures: readonly string[]
}

for (const reload of ['restart', 'overlap'] as const)
  t.test(`a service that calls another 50 times a second loses nothing while that is saved (${reload})`, async t => {
    const sdk = await openSdk(t)
    if (sdk === undefined) return
    const rig = await openRig(t)
    for (const name of ['echo', 'steady']) cpSync(join(FIXTURES, name), join(rig.folder, name), {recursive: true})
    const app = {version: '1.0.0', command: ['python', 'service.py']}
    const apps = [
      {...app, appID: 'echo', appDirPath: 'echo', watch: true, ...(reload === 'overlap' && {reload})},
      {...app, appID: 'steady', appDirPath: 'steady'}
    ]
    await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps})})
    const run = rig.pillion(['run', '-f', '.'], {env: sdk.env})
    const manager = await managerOf(run)
    const steady = async (entrypoint: string, body: object = {}): Promise<unknown> => {
      const answer = await ask(`${manager}/services/steady/${entrypoint}`, {method: 'POST', body})
      if (answer.status !== 200) throw new Error(`${entrypoint}: ${answer.status} ${answer.body}`)
      return JSON.parse(answer.body)
    }
    /** Settles when this answer was heard. */
    const heard = async (text: string): Promise<void> => {
      while (!Object.keys(((await steady('tally')) as QueueStats).answers).includes(text)) await pause(50)
    }

    await steady('begin', {name: 'echo', entrypoint: 'greet', arguments: {name: 'Ada'}})
    await heard('Ada from 1.0.0')
    const text = readFileSync(join(rig.folder, 'echo/service.py'), 'utf8')
    for (let save = 1; save <= SAVES; save++) {
      await rig.write({'echo/service.py': text.replace('{name} from {ME}', `{name} from {ME}, save ${save}`)})
      await heard(`Ada from 1.0.0, save ${save}`)
    }
    const {asked, seconds, answers, failures} = (await steady('cease')) as QueueStats
    t.same(failures, [], `${asked} calls in ${seconds.toFixed(1)} s, none lost`)
    t.equal(
      Object.values(answers).reduce((sum, count) => sum + count, 0),
      asked
    )
    t.ok(asked > 10 * SAVES, 'often, also on a busy machine')
    t.same(
      Object.keys(answers).toSorted(),
      ['Ada from 1.0.0', ...Array.from({length: SAVES}, (_, at) => `Ada from 1.0.0, save ${at + 1}`)],
      'each version was heard'
    )
    await run.waitForLine(STARTED, {nth: SAVES + 1})
    t.equal(run.stdout.lines.filter(line => STARTED.test(line)).length, SAVES + 1)
    t.match(await run.end(), {code: 0})
    t.same(await rig.leftovers(), [])
  })
