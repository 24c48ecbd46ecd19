import t from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import type {Intent} from '../../../../src/supervisor/owner/next-step.ts'
import type {AppOwner, AppOwnerOptions} from '../../../../src/supervisor/owner/owner.ts'
import {TestClock} from '../../../rig/clock.ts'
import {FakeRuntime, ownerOf, settle} from './fake-app.ts'

/** An owner, and what it does: `open` settles when the test says so. */
const owned = (options: Partial<AppOwnerOptions> = {}) => {
  const runtime = new FakeRuntime()
  const log: string[] = []
  const opening = Promise.withResolvers<void>()
  const owner: AppOwner = ownerOf(runtime, new TestClock(), [], () => [owner], {
    open: async () => {
      log.push('open')
      await opening.promise
      runtime.isStopped = false
      owner.opened()
    },
    queue: async () => void log.push('queue'),
    ...options
  })
  const stop = async (ended = Promise.resolve()): Promise<void> => {
    Object.assign(runtime, {person: 'stopped', request: 'no', isStopped: true})
    await owner.close('closes', async () => {
      log.push('end')
      await ended
    })
  }
  const start = async (): Promise<string> => {
    Object.assign(runtime, {person: 'none', request: 'now'})
    return owner.follow()
  }
  return {runtime, owner, log, opening, stop, start}
}

t.test('a stop cancels a reload, and a start that comes while the app ends opens it then', async t => {
  const {runtime, owner, log, opening, stop, start} = owned()
  const inside = runtime.call('/old')
  owner.want('watch')
  const reloaded = owner.reached('settled')
  const ended = Promise.withResolvers<void>()
  const stopped = stop(ended.promise)
  await reloaded
  const started = start()
  t.same(log, ['end'], 'it does not wait for the call')
  ended.resolve()
  await stopped
  t.same(log, ['end', 'open'])
  opening.resolve()
  t.equal(await started, '')
  inside.leave()
  await settle()
  t.same(runtime.asked, [], 'the process that ends is not replaced')
})

t.test('an edit ends an app once, also if the opening that it cancels settles while the app ends', async t => {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const {runtime, owner, log, stop, start} = owned({
    open: async () => {
      runtime.isStopped = false
      owner.opened()
      await begun.promise
    }
  })
  await stop()
  const started = start()
  await settle()
  let [closing, looks]: [Intent['closing'], number] = ['no', 0]
  Object.defineProperty(runtime, 'closing', {
    get: () => {
      if (looks++ > 1000) throw new Error('it looks for its next step without end')
      return closing
    },
    set: (is: Intent['closing']) => {
      closing = is
    }
  })
  const closed = owner.close('reopens', async () => {
    log.push('end for the edit')
    await ended.promise
  })
  begun.resolve()
  await settle()
  ended.resolve()
  await closed
  t.equal(await started, '')
  t.same(log, ['end', 'end for the edit'])
})

t.test('an app that an edit closes opens when the edit has closed all, and not if the run ends before', async t => {
  const {owner, log, opening} = owned()
  await owner.close('reopens', async () => void log.push('end'))
  await settle()
  t.same(log, ['end'], 'its ports may be of another app of the edit')
  const reopened = owner.reopen()
  t.same(log, ['end', 'open'])
  opening.resolve()
  await reopened
  t.equal(owner.isOpen, true)
  await owner.close('reopens', async () => undefined)
  owner.end()
  await owner.reopen()
  t.same(log, ['end', 'open'])
})

t.test('an edit gets the error of the app that it cannot open', async t => {
  const failure = new Error('no more descriptors')
  const {owner} = owned({open: async () => Promise.reject(failure)})
  await owner.close('reopens', async () => undefined)
  await t.rejects(owner.reopen(), failure)
})

t.test('an app that cannot be opened stays stopped, and all who want it get the reason', async t => {
  const {runtime, log, stop, start} = owned({
    open: async () => Promise.reject(new UserError('port 1 is taken', {explanation: 'It is taken by x.\n'}))
  })
  await stop()
  const why = 'port 1 is taken\nIt is taken by x.'
  t.same(await Promise.all([start(), start()]), [why, why])
  t.equal(runtime.person, 'stopped')
  t.same(log, ['end'])
})

t.test('an app that an edit removes before its turn to open is not opened', async t => {
  const turn = Promise.withResolvers<void>()
  const {runtime, owner, log, stop, start} = owned({
    open: async (_: AppRuntime, callOff) => {
      await turn.promise
      if (!callOff.aborted) log.push('open')
    }
  })
  await stop()
  const started = start()
  runtime.leaves = true
  await owner.close('closes', async () => void log.push('end again'))
  turn.resolve()
  t.equal(await started, 'it was stopped meanwhile')
  t.same(log, ['end'])
})

t.test('a command is told that the run ends', async t => {
  const {owner, start} = owned()
  owner.end()
  t.equal(await start(), 'the run is stopping')
})
