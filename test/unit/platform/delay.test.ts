import {getEventListeners} from 'node:events'
import t from 'tap'
import {orAborted} from '../../../src/platform/delay.ts'

t.test('who waits for work or a signal leaves nothing at the signal', async t => {
  const run = new AbortController()
  t.equal(await orAborted(run.signal, Promise.resolve('done')), 'done')
  await t.rejects(orAborted(run.signal, Promise.reject(new Error('it fails'))), /it fails/)
  t.equal(getEventListeners(run.signal, 'abort').length, 0)
  const waiting = orAborted(run.signal, new Promise(() => undefined))
  run.abort()
  t.equal(await waiting, undefined)
  t.equal(await orAborted(run.signal, new Promise(() => undefined)), undefined, 'aborted already')
  t.equal(getEventListeners(run.signal, 'abort').length, 0)
})
