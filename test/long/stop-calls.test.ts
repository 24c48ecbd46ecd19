import t, {type Test} from 'tap'
import type {Answer, Driven, Request} from '../rig/command.ts'
import {ask} from '../rig/manager.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

interface Scene {
  readonly rig: Rig
  readonly run: Program
  readonly app: Driven
  /** A call to the app. */
  readonly call: (path: string) => Promise<Answer>
  /** One that is under way in the app. */
  readonly first: Promise<Answer>
  readonly request: Request
  readonly shutdown: string
}

/** Whose sidecar is called. The first is alone in its run. */
const CALLERS = ['the app itself', 'another app', 'another run'] as const
type Caller = (typeof CALLERS)[number]

/** An app with a call under way; later ones are answered at once. */
async function scene(t: Test, timeout: string, caller: Caller): Promise<Scene> {
  const rig = await openRig(t)
  const others = caller === 'the app itself' ? [] : [{appID: 'other', command: []}]
  await rig.template([{appID: 'app', autoPort: true, stop: {timeout}}, ...others])
  const run = rig.pillion(['run', '-f', '.'])
  const app = await rig.driven('app')
  await app.catchSignal('SIGTERM')
  await app.listen()
  await run.waitForLine('Writing log files', {nth: 1 + others.length})
  const own = (await run.ports('app')).http
  const port = await portOf(caller, rig, run)
  const call = async (path: string): Promise<Answer> => ask(`http://127.0.0.1:${port}/v1.0/invoke/app/method${path}`)
  const first = call('/first')
  first.catch(() => undefined)
  const request = await app.nextRequest()
  await app.answer({body: 'at once'})
  return {rig, run, app, call, first, request, shutdown: `http://127.0.0.1:${own}/v1.0/shutdown`}
}

async function portOf(caller: Caller, rig: Rig, run: Program): Promise<number> {
  if (caller === 'the app itself') return (await run.ports('app')).http
  if (caller === 'another app') return (await run.ports('other')).http
  const far = rig.pillion(['run', '-a', 'far'])
  await far.waitForLine("You're up and running")
  return (await far.ports('far')).http
}

/** Calls until it is refused. */
async function refusal({call}: Scene): Promise<Answer> {
  for (;;) {
    const answer = await call('/late')
    if (answer.status !== 200) return answer
  }
}

const WAYS: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  'stop --app-id': async ({rig}) => rig.run(['stop', '--app-id', 'app']),
  '/v1.0/shutdown': async ({shutdown}) => ask(shutdown, {method: 'POST'})
}

for (const [way, stop] of Object.entries(WAYS)) {
  for (const caller of CALLERS) {
    t.test(`${way}: calls by ${caller} are answered, then the app is asked to end`, async t => {
      const all = await scene(t, '60m', caller)
      const {run, app, first, request} = all
      const signal = app.nextSignal()
      const stopping = stop(all)
      const refused = await refusal(all)
      const stopped = String.raw`\[stopped by \\"pillion stop\\"; \\"pillion start app\\" brings it back\]`
      const gone = String.raw`\(no app \\"app\\" runs here`
      const why = new RegExp(`couldn't find service: app (${stopped}${caller === 'another run' ? `|${gone}` : ''})`)
      t.match(refused, {status: 500, body: why})
      t.equal(await Promise.race([signal, Promise.resolve('none')]), 'none', 'not asked yet')
      await request.reply({body: 'whole'})
      t.match(await first, {status: 200, body: 'whole'})
      t.equal(await signal, 'SIGTERM')
      await app.exit(0)
      await stopping
      if (caller !== 'the app itself') run.signal('SIGTERM')
      t.same(await run.exited, {code: 0, signal: null})
    })
  }

  t.test(`${way}: a call that does not end within the grace is cut and named`, async t => {
    const all = await scene(t, '200ms', 'another app')
    const {run, app, first} = all
    const stopping = stop(all)
    t.match(
      await run.waitForLine('still in flight', {stream: 'stderr'}),
      /"app": 1 call was still in flight 0\.2 s after the stop request and was cancelled: GET \/first from other$/
    )
    t.match(await first, {status: 500, body: /EOF/})
    await app.closed
    await stopping
  })
}

t.test('Ctrl-C does not wait for the calls of an app that is being stopped', async t => {
  const all = await scene(t, '60m', 'another app')
  const {run, app} = all
  const stopping = all.rig.run(['stop', '--app-id', 'app'])
  await refusal(all)
  run.signal('SIGINT')
  t.equal(await app.nextSignal(), 'SIGTERM')
  await app.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
  await stopping
})
