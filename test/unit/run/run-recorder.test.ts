import t from 'tap'
import type {Death} from '../../../src/observe/telemetry/recorder/deaths.ts'
import {RunRecorder} from '../../../src/run/run-recorder.ts'
import type {AppRuntime} from '../../../src/supervisor/app-runtime.ts'

const runtime = (version: string): AppRuntime =>
  ({
    id: 'shop',
    name: 'shop',
    home: `shop@${version}`,
    plan: {version, folder: '/'},
    queue: {interruptedBy: () => []},
    logs: {app: {record: {length: 0}}},
    opening: {logStart: 0},
    app: {lived: {from: 0, to: 1}, bestLine: ''}
  }) as unknown as AppRuntime

t.test('a save that reloaded one version of an app has not started the process of another one', async t => {
  const deaths: Death[] = []
  const recorder = new RunRecorder({
    runtimes: () => [],
    workflows: () => undefined,
    onDeath: death => deaths.push(death),
    adviceFor: async () => Promise.resolve('')
  })
  const numbers = {number: 1, tookMs: 1, held: 0, longestMs: 0, lost: 0}
  const reloaded = (version: string, files: readonly string[]): void =>
    recorder.noticed({...numbers, type: 'reloaded', id: 'shop', version, files})
  reloaded('1.0.0', ['app.mjs'])
  reloaded('3.0.0', ['later.mjs'])
  for (const each of ['1.0.0', '2.0.0', '3.0.0'])
    recorder.died(runtime(each), {kind: 'code', code: 1}, {warn: () => undefined})
  t.same(
    deaths.map(death => death.files),
    [['app.mjs'], [], ['later.mjs']]
  )
  t.match(recorder.historyOf('shop@1.0.0').reload, {files: ['app.mjs']})
  t.match(recorder.historyOf('shop@3.0.0').reload, {files: ['later.mjs']})
  recorder.died(runtime('2.0.0'), {kind: 'code', code: 0}, {warn: () => undefined})
  t.match(recorder.historyOf('shop@1.0.0').exit, {text: 'exited with code 1'})
  t.match(recorder.historyOf('shop@2.0.0').exit, {text: 'exited with code 0'})
})
