import type {Server} from 'node:net'
import {Receiver} from '../observe/telemetry/otlp/receiver.ts'
import {SpanStore} from '../observe/telemetry/otlp/span-store.ts'
import type {Reporter} from '../model/reporter.ts'
import type {CallRecorder} from '../observe/telemetry/recorder/call-recorder.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'

/** The parts of a run that read arrived spans. */
export interface SpanReaders {
  readonly reporter: Reporter
  /** Its spans are set when the store is created. */
  readonly recorder: CallRecorder
  readonly runtimes: () => readonly AppRuntime[]
}

/** Begins to read arrived data at a port. */
export function openReceiver(claim: Server, {recorder, runtimes, reporter}: SpanReaders): Receiver {
  const store = new SpanStore({
    isRecorded: app => runtimes().find(({id}) => id === app)?.wanted.record.bodyBytes !== -1,
    isHealthPath: path =>
      runtimes().some(
        ({wanted: {health, ready}}) => path === health.path || (ready.kind === 'http' && path === ready.path)
      )
  })
  recorder.spans = store
  const isApp = (wanted: string): boolean => runtimes().some(({id}) => id === wanted)
  return new Receiver(claim, store, isApp, text => reporter.warn('background-task-failed', text))
}
