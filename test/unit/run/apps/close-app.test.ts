import t from 'tap'
import {AppCloser, type AppCloserOptions} from '../../../../src/run/apps/close-app.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'

t.test('the end of a run waits for the sidecar of an app that an edit is about to leave', async t => {
  const [stopped, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const log: string[] = []
  const runtime = {
    id: 'shop',
    plan: {stop: {timeoutMs: 1000}},
    queue: {timeoutMs: 1000, inFlight: new Map(), drained: async () => Promise.resolve(true)},
    closing: 'reopens',
    suspend: () => undefined,
    stop: async () => stopped.promise,
    opening: {closeLogs: async () => void log.push('logs are closed')}
  } as unknown as AppRuntime
  const sidecar = {announceEnd: () => undefined, makeRoom: async () => undefined, close: async () => answered.promise}
  const {signal} = new AbortController()
  let closing: Promise<void> | undefined
  const closer = new AppCloser({
    lifetime: {now: signal, stopRequested: signal},
    reporter: {warn: () => undefined},
    sidecars: new Map([[runtime, sidecar]]),
    close: async (_: AppRuntime, __: unknown, end: () => Promise<void>) => (closing ??= end()),
    ends: () => undefined,
    letGo: () => async () => Promise.resolve(true)
  } as unknown as AppCloserOptions)
  const edit = {keepsPorts: true, isOpenedNext: true, callers: Promise.resolve(), onDrained: () => undefined}
  const edited = closer.closeForEdit(runtime, edit).then(() => log.push('the edit goes on'))
  const ended = closer.closeAll([runtime], signal).then(() => log.push('the run has ended'))
  stopped.resolve()
  await edited
  await new Promise(setImmediate)
  answered.resolve()
  await ended
  t.same(log, ['the edit goes on', 'logs are closed', 'the run has ended'])
})
