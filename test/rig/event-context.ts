import {EventEmitter} from 'node:events'
import type {App} from '../../src/model/api.generated.ts'
import type {ApiContext} from '../../src/observe/api/route.ts'
import {CallRecorder} from '../../src/observe/telemetry/recorder/call-recorder.ts'

/** Returns the parts of a run that its events read, with these in place of empty ones; `listed`: the apps of its listing. */
export function eventContext({
  listed = [],
  ...parts
}: {listed?: readonly App[]; [part: string]: unknown} = {}): ApiContext {
  const run = {version: '', run: '', pid: 1, startedAt: 0, templateFile: '', templateName: '', apps: listed}
  return {
    recorder: new CallRecorder(() => undefined),
    deaths: undefined,
    masked: () => [],
    apps: () => [],
    faults: {active: undefined},
    actors: {loaded: () => undefined},
    work: {onWorkflow: () => undefined, openWorkflows: () => undefined},
    control: {list: () => run},
    ...parts
  } as unknown as ApiContext
}

/** A reader of events that emits `text` for each piece, and `close` at the end. */
export class EventSink extends EventEmitter {
  write(text: string): boolean {
    this.emit('text', text)
    return true
  }
  end(): void {
    this.emit('close')
  }
  destroy(): void {
    this.emit('close')
  }
}
